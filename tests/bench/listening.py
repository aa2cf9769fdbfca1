"""How long after a commit of the read model a thousand followers have heard of it.

From the notice that PostgreSQL gives of the commit, to a listener of ours, to the arrival at each
follower's socket; the reference is one follower of the same process, in the same run.
"""

import asyncio
import time
from typing import cast
from urllib.parse import urlsplit

import asyncpg
import uvloop

from services.projections.live.news import CHANNEL
from tests.bench.figure import Figure, Goal, percentile
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House

WITHIN = 10.0


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=1)
    batch_id = house.create(csv_of(numbers(1)), start=False)
    return uvloop.run(_figures(house, batch_id, size))


async def _figures(house: House, batch_id: str, size: Size) -> list[Figure]:
    alone = await _delays(house, batch_id, 1, size.listened)
    crowd = await _delays(house, batch_id, size.listeners, size.listened)
    return [
        Figure(
            f"commit to delivery, {size.listeners} followers, p{share * 100:.0f}",
            1000 * percentile(crowd, share),
            "ms",
            1000 * percentile(alone, share),
            "one follower of the same process",
            goal,
        )
        for share, goal in ((0.5, None), (0.99, Goal(at_most=500)))
    ]


async def _delays(house: House, batch_id: str, followers: int, times: int) -> list[float]:
    """Seconds of each delivery."""
    conn = await asyncpg.connect(house.endpoints["databases"]["projections"])
    committed: list[float] = []
    await conn.add_listener(CHANNEL, lambda *_: committed.append(time.monotonic()))
    place = urlsplit(house.endpoints["projections"])
    host, port = place.hostname or "", place.port or 0
    loop = asyncio.get_running_loop()
    heard: list[float] = []
    listening = []
    for _ in range(followers):
        transport, protocol = await loop.create_connection(
            lambda: _Follower(f"/v1/batches/{batch_id}/events", heard), host, port
        )
        await asyncio.wait_for(protocol.begun, WITHIN)
        listening.append(transport)
    delays: list[float] = []
    for number in range(times):
        heard.clear()
        committed.clear()
        name = {"name": f"Heard by {followers}, {number}"}
        await asyncio.to_thread(house.command, "PATCH", f"/v1/batches/{batch_id}", name)
        async with asyncio.timeout(WITHIN):
            while len(heard) < followers or not committed:  # noqa: ASYNC110 - sockets fill it
                await asyncio.sleep(0.005)
        delays += [max(0.0, at - committed[0]) for at in heard]
    for transport in listening:
        transport.close()
    await conn.close()
    return delays


class _Follower(asyncio.Protocol):
    """As little as can be: what is measured is not the client."""

    def __init__(self, path: str, heard: list[float]) -> None:
        self._ask = f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()
        self._heard = heard
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.WriteTransport", transport).write(self._ask)

    def data_received(self, data: bytes) -> None:
        if b"event: snapshot" in data and not self.begun.done():
            self.begun.set_result(None)
        if b"event: entry" in data:
            self._heard.append(time.monotonic())
