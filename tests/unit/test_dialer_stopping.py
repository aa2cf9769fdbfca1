"""A dialer that stops sees through what it has begun: an INTENT nobody places looks like a call."""

import asyncio

import pytest

from services.dialer.slots import Slots

LONG = 30.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_the_work_at_hand_begins_is_seen_through_as_well() -> None:
    slots, steps = Slots(2), list[str]()

    async def request() -> None:
        await asyncio.sleep(0)
        steps.append("requested")

    async def announce() -> None:
        await asyncio.sleep(0)
        steps.append("announced")
        slots.run(request(), holding=1)

    slots.run(announce(), holding=0)
    await slots.close(within=LONG)
    assert steps == ["announced", "requested"]


async def test_who_takes_grants_and_is_cancelled_has_them_placed() -> None:
    slots, took, placed = Slots(2), asyncio.Event(), list[str]()

    async def take() -> int:
        took.set()
        await asyncio.sleep(0)
        slots.run(place(), holding=1)
        return 1

    async def place() -> None:
        placed.append("placed")

    taking = asyncio.create_task(slots.through(take()))
    await took.wait()
    taking.cancel()
    await slots.close(within=LONG)
    assert taking.cancelled()
    assert placed == ["placed"]


async def test_what_does_not_end_in_time_is_cut_off() -> None:
    slots, cut = Slots(1), asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    slots.run(forever(), holding=1)
    await slots.close(within=0.01)
    assert cut.is_set()
