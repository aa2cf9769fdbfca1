"""What the followers of one stream share: a message is read and written down once for all of them.

Each goes at its own pace.  Who falls too far behind is ended, and resumes by the last id it saw.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import structlog
from fastapi.sse import KEEPALIVE_COMMENT

from chassis.wake import News
from services.projections.domain.place import Place
from services.projections.live.ring import Ring

log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class Cursor:
    """Where a follower is."""

    position: int


class Hub:
    def __init__(self, start: Place) -> None:
        self.generation = start.generation
        self.ring = Ring(start.position)
        self.over = False
        self._last_words = b""
        self._cursors: set[Cursor] = set()
        self._news = News()

    @property
    def followers(self) -> int:
        return len(self._cursors)

    def tell(self, messages: Sequence[tuple[int, bytes]], upto: int) -> None:
        """`upto`: where they end, or further where nothing came of the last."""
        for position, message in messages:
            self.ring.add(position, message)
        self.ring.top = max(self.ring.top, upto)
        if messages:
            self.ring.forget(min((each.position for each in self._cursors), default=self.ring.top))
            self._news.tell()

    def end(self, last_words: bytes = b"") -> None:
        """No more comes: all followers leave, once they have been told the rest."""
        self.over, self._last_words = True, last_words
        self._news.tell()

    def join(self, position: int) -> Cursor:
        cursor = Cursor(position)
        self._cursors.add(cursor)
        return cursor

    def leave(self, cursor: Cursor) -> None:
        self._cursors.discard(cursor)

    async def follow(self, cursor: Cursor, heartbeat: float) -> AsyncIterator[bytes]:
        """All that comes after the cursor's position, without gap or repeat."""
        while True:
            news = self._news.next()
            told = self.ring.after(cursor.position)
            if told is None:
                log.info("follower_too_slow", behind=self.ring.top - cursor.position)
                return
            if told:
                cursor.position = self.ring.top
                yield told
            elif self.over:
                if self._last_words:
                    yield self._last_words
                return
            elif not await _within(heartbeat, news):
                yield KEEPALIVE_COMMENT


async def _within(seconds: float, news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True
