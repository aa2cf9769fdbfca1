"""A slow follower is ended and never waited for; what the others hear has no gap and no repeat."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping

import pytest
from starlette.types import Message

from services.projections.api.streaming import EventStream
from services.projections.domain.place import Place, goes_on, read_place
from services.projections.live.hub import Hub
from services.projections.live.newsroom import AT_ONCE, Found, Newsroom
from services.projections.live.ring import KEPT, MOST, Ring
from services.projections.live.shared import Shared

pytestmark = pytest.mark.anyio

SOON = 5.0
ONE, TWO = "1.0a1b2c3d", "2.9f8e7d6c"


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
    hub = Hub(Place(ONE, 0))
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
        return {key: Found(ONE, seen, []) for key, seen in asked.items()}

    room = Newsroom(nothing, stopping, before=10)
    running = asyncio.create_task(room.run())
    hub = room.hub("a", Place(ONE, 20))
    follower = hub.follow(hub.join(20), SOON)
    next_one = asyncio.ensure_future(anext(follower, b"the end"))
    stopping.set()
    async with asyncio.timeout(SOON):
        assert await next_one == b"the end"
        late = room.hub("a", Place(ONE, 20))
        assert await anext(late.follow(late.join(20), SOON), b"the end") == b"the end"
    assert not running.done()
    running.cancel()


async def test_another_generation_ends_the_streams_of_the_one_before() -> None:
    now = Place(ONE, 20)

    async def read(asked: Mapping[str, int]) -> dict[str, Found]:
        return {key: Found(now.generation, seen, []) for key, seen in asked.items()}

    room = Newsroom(read, asyncio.Event(), before=10)
    running = asyncio.create_task(room.run())
    hub = room.hub("a", now)
    now = Place(TWO, 3)
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


async def test_nobody_is_handed_a_read_that_began_before_they_asked() -> None:
    begun: list[asyncio.Future[str]] = []

    async def read(_: str) -> str:
        begun.append(asyncio.get_running_loop().create_future())
        return await begun[-1]

    shared = Shared(read)
    first = asyncio.create_task(shared.get("batch"))
    await until(lambda: begun)
    later = [asyncio.create_task(shared.get("batch")) for _ in range(1000)]
    await asyncio.sleep(0)
    begun[0].set_result("as it was")
    assert await first == "as it was"
    await until(lambda: len(begun) == 2)
    begun[1].set_result("as it is")
    assert set(await asyncio.gather(*later)) == {"as it is"}
    assert len(begun) == 2


async def test_of_many_that_come_back_at_once_a_read_takes_a_few_and_all_are_told() -> None:
    asked: list[int] = []

    async def read(seen: Mapping[int, int]) -> dict[int, Found]:
        asked.append(len(seen))
        return {key: Found(ONE, 1, [(1, b"1 ")]) for key in seen}

    room = Newsroom(read, asyncio.Event(), before=0)
    hubs = [room.hub(key, Place(ONE, 0)) for key in range(300)]
    running = asyncio.create_task(room.run())
    async with asyncio.timeout(SOON):
        told = [await anext(hub.follow(hub.join(0), SOON)) for hub in hubs]
    assert told == [b"1 "] * 300
    assert max(asked) <= AT_ONCE
    assert sum(asked) == 300
    running.cancel()


async def until(there: Callable[[], object]) -> None:
    async with asyncio.timeout(SOON):
        while not there():  # noqa: ASYNC110 - the condition is of tasks in this loop
            await asyncio.sleep(0)


def test_an_id_goes_on_only_in_the_model_that_gave_it() -> None:
    now = Place(TWO, 7)
    assert read_place(str(now)) == now
    assert goes_on(Place(TWO, 7), now)
    assert goes_on(Place(TWO, 0), now)
    assert not goes_on(Place(TWO, 8), now)
    assert not goes_on(Place(ONE, 3), now)
    assert not goes_on(Place("2.00000000", 3), now), "of a database that was made anew"
    for unknown in ("", "2-7", f"{now}\n", f"{TWO}-", f"{TWO}7-7", "2.9F8E7D6C-7"):
        assert read_place(unknown) is None
