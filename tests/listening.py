"""Someone who follows a live stream, as any client of server-sent events does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

LONG_ENOUGH = 20.0


@dataclass(frozen=True, slots=True)
class Heard:
    event: str
    id: str | None
    data: dict[str, Any]


class Follower:
    """What has come so far; `ended` once the server has closed the stream."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.comments = 0
        self.ended = False
        self._more = asyncio.Event()

    @property
    def last_id(self) -> str | None:
        return next((each.id for each in reversed(self.heard) if each.id), None)

    def of(self, event: str) -> list[Heard]:
        return [each for each in self.heard if each.event == event]

    async def until(self, enough: Callable[["Follower"], Any]) -> None:
        async with asyncio.timeout(LONG_ENOUGH):
            while not enough(self):
                self._more.clear()
                await self._more.wait()

    async def listen(self, lines: AsyncIterator[str]) -> None:
        fields: dict[str, str] = {}
        try:
            async for line in lines:
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    data = json.loads(fields["data"])
                    self.heard.append(Heard(fields["event"], fields.get("id"), data))
                    fields = {}
                self._more.set()
        except httpx2.TransportError:
            pass  # the server has died: what came before counts
        self.ended = True
        self._more.set()


@asynccontextmanager
async def following(
    http: httpx2.AsyncClient, path: str, last_id: str | None = None
) -> AsyncIterator[Follower]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with http.stream("GET", path, headers=headers, timeout=None) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        follower = Follower()
        listening = asyncio.create_task(follower.listen(answer.aiter_lines()))
        try:
            yield follower
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def positions(heard: Sequence[Heard]) -> list[int]:
    """The positions that their ids name, in the order in which they came."""
    return [int(str(each.id).partition("-")[2]) for each in heard]
