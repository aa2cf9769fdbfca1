"""A command is numbered and told once; who asked waits for its verdict, but not for ever.

Whichever instance reads the verdict writes it down; the one that waits is notified.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

import structlog

from chassis import outbox
from chassis.postgres import Connection, Pool
from chassis.vault import batch_scope
from chassis.wake import News
from contracts.batches import BatchCommand
from contracts.ids import command_id_of
from services.ingest import position
from services.ingest import store as ingest
from services.ingest.domain.life import BatchGoneError, NotAllowedError, Outcome, Wish
from services.ingest.idempotency import Answer, Idempotency, Key
from services.ingest.intake import Wakes
from services.ingest.life import store

log = structlog.get_logger()

PATIENCE: Final = 5.0
"""Seconds a person is kept waiting for what others have to say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command in the log, and what came of it as far as that is known."""

    kind: type[BatchCommand]
    command_no: int
    outcome: Outcome

    @property
    def done(self) -> bool:
        return self.outcome.done(self.kind)

    def position(self, batch_id: UUID) -> str:
        if self.outcome.sequence is None:
            return position.of_command(batch_id, self.command_no)
        return position.of_verdict(batch_id, self.outcome.sequence)


class Asking:
    def __init__(self, pool: Pool, idempotency: Idempotency, news: News, wakes: Wakes) -> None:
        self._pool = pool
        self._idempotency = idempotency
        self._news = news
        self._wakes = wakes

    async def ask(self, account_id: str, wish: Wish, *, key: Key | None, actor: str) -> Asked:
        """What came of it.  Raises BatchGoneError or NotAllowedError."""
        async with self._pool.acquire() as conn, conn.transaction():
            holder = uuid4()  # the key is claimed, used and answered at once, or not at all
            taken = await self._idempotency.claim(conn, key, holder) if key else None
            if taken is None:
                if await store.lock(conn, wish.batch_id, account_id):
                    raise BatchGoneError
                taken = await self.issue(conn, account_id, wish, actor)
                if key:
                    scope = batch_scope(wish.batch_id)
                    await self._idempotency.remember(conn, holder, taken, scope)
        return await self.judged(wish, taken.body["command_no"], key)

    async def issue(
        self, conn: Connection, account_id: str, wish: Wish, actor: str, **more: Any
    ) -> Answer:
        """What a key remembers of it: its number, and more; the caller holds the batch's row."""
        command_no = await ingest.next_command_no(conn, wish.batch_id)
        said: dict[str, Any] = {
            "account_id": account_id,
            "at": await ingest.now(conn),
            "batch_id": wish.batch_id,
            "command_no": command_no,
            "command_id": command_id_of(wish.batch_id, command_no),
            "actor": actor,
        }
        await outbox.put(conn, [wish.kind(**said, **wish.facts)], writer="ingest")
        place = {position.HEADER: position.of_command(wish.batch_id, command_no)}
        return Answer(HTTPStatus.ACCEPTED, place, {"command_no": command_no, **more})

    async def judged(self, wish: Wish, command_no: int, key: Key | None) -> Asked:
        """Once it is over, or patience is.  Raises NotAllowedError."""
        self._wakes.relay()
        outcome = await self._outcome(wish, command_no)
        asked = Asked(wish.kind, command_no, outcome)
        log.info(
            "command_taken",
            batch_id=str(wish.batch_id),
            command=wish.kind.__name__,
            done=asked.done,
            refusal=outcome.refusal,
        )
        if outcome.refusal is not None:
            if key:
                place = position.of_command(wish.batch_id, command_no)
                await self._pool.execute(store.Q.take_back_key, key.account_id, key.value, place)
            raise NotAllowedError(outcome)
        return asked

    async def _outcome(self, wish: Wish, command_no: int) -> Outcome:
        command_id = command_id_of(wish.batch_id, command_no)
        until = asyncio.get_running_loop().time() + PATIENCE
        while True:
            news = self._news.next()
            async with self._pool.acquire() as conn:
                outcome = await store.outcome(conn, wish.batch_id, command_id)
            if outcome.over(wish.kind) or not await came(news, until):
                return outcome


async def came(news: asyncio.Event, until: float) -> bool:
    """Whether there was news before that instant of the loop's clock."""
    try:
        async with asyncio.timeout_at(until):
            await news.wait()
    except TimeoutError:
        return False
    return True
