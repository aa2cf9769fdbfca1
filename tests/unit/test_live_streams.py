"""A slow follower is ended and never waited for; what the others hear has no gap and no repeat."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

import pytest
from starlette.types import Message

from services.projections.api.streaming import EventStream
from services.projections.domain.place import Place, goes_on, read_place
from services.projections.live.hub import Hub
from services.projections.live.newsroom import Found, Newsroom
from services.projections.live.ring import KEPT, MOST, Ring
from services.projections.live.shared import Shared

pytestmark = pytest.mark.anyio

SOON = 5.0


def messages(upto: int, since: int = 0) -> list[tuple[int, bytes]]:
    return [(n, f"{n} ".encode()) for n in range(since + 1, upto + 1)]


def test_a_ring_gives_what_came_after_or_says_that_it_no_longer_can() -> None:
    ring = Ring(5)
    for position, message in messages(9, since=5):
        ring.add(position, message)
    ring.add(9, b"again")
    assert ring.after(4) is None
    assert (ring.after(5), ring.after(8), ring.after(9)) == (b"6 7 8 9 ", b"9 ", b"")
    for position, message in messages(MOST + 20, since=9):
        ring.add(position, message)
    assert ring.after(5) is None
    assert ring.after(ring.floor) is not None
    ring.forget(seen=ring.top)
    assert ring.top - ring.floor == KEPT


async def test_a_follower_that_falls_behind_is_ended_and_the_others_go_on() -> None:
    hub = Hub(Place(1, 0))
    slow, quick = hub.join(0), hub.join(0)
    hub.tell(messages(1), 1)
    slowly, quickly = hub.follow(slow, SOON), hub.follow(quick, SOON)
    assert await anext(slowly) == await anext(quickly) == b"1 "
    heard = b""
    for start in range(1, MOST + 10, 500):
        hub.tell(messages(start + 500, since=start), start + 500)
        heard += await anext(quickly)
    assert heard == b"".join(text for _, text in messages(hub.ring.top, since=1))
    with pytest.raises(StopAsyncIteration):
        await anext(slowly)


async def test_a_stream_that_nobody_reads_is_ended() -> None:
    closed = asyncio.Event()

    async def told() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"data: 1\n\n"
        finally:
            closed.set()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()  # the client's buffers are full

    async with asyncio.timeout(SOON):
        await EventStream(told(), unread_for=0.01).stream_response(send)
    assert closed.is_set()


async def test_a_stop_ends_every_follower() -> None:
    stopping = asyncio.Event()

    async def nothing(asked: Mapping[str, int]) -> dict[str, Found]:
        return {key: Found(1, seen, []) for key, seen in asked.items()}

    room = Newsroom(nothing, stopping, before=10)
    running = asyncio.create_task(room.run())
    hub = room.hub("a", Place(1, 20))
    follower = hub.follow(hub.join(20), SOON)
    next_one = asyncio.ensure_future(anext(follower, b"the end"))
    stopping.set()
    async with asyncio.timeout(SOON):
        assert await next_one == b"the end"
        late = room.hub("a", Place(1, 20))
        assert await anext(late.follow(late.join(20), SOON), b"the end") == b"the end"
    assert not running.done()
    running.cancel()


async def test_another_generation_ends_the_streams_of_the_one_before() -> None:
    now = Place(1, 20)

    async def read(asked: Mapping[str, int]) -> dict[str, Found]:
        return {key: Found(now.generation, seen, []) for key, seen in asked.items()}

    room = Newsroom(read, asyncio.Event(), before=10)
    running = asyncio.create_task(room.run())
    hub = room.hub("a", now)
    now = Place(2, 3)
    room.wake()
    async with asyncio.timeout(SOON):
        assert await anext(hub.follow(hub.join(20), SOON), b"the end") == b"the end"
    assert room.hub("a", now) is not hub
    running.cancel()


async def test_a_thousand_who_ask_at_once_ask_once() -> None:
    asked, answer = [], asyncio.Event()

    async def read(key: str) -> str:
        asked.append(key)
        await answer.wait()
        return key

    shared = Shared(read)
    asking = [asyncio.create_task(shared.get("batch")) for _ in range(1000)]
    await asyncio.sleep(0)
    answer.set()
    assert set(await asyncio.gather(*asking)) == {"batch"}
    assert asked == ["batch"]
    assert await shared.get("other") == "other"


def test_an_id_goes_on_only_in_the_model_that_gave_it() -> None:
    now = Place(2, 7)
    assert read_place(str(now)) == now
    assert goes_on(Place(2, 7), now)
    assert goes_on(Place(2, 0), now)
    assert not goes_on(Place(2, 8), now)
    assert not goes_on(Place(1, 3), now)
    assert read_place("2-7\n") is read_place("") is read_place("2-") is None
