"""What is transient is waited for; a stop is not."""

import asyncio

import pytest

from chassis.postgres import retrying


async def test_a_transaction_is_run_again_while_what_it_meets_is_transient() -> None:
    failures = [ConnectionResetError(), TimeoutError()]

    async def act() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert await retrying("act", act) == "done"


async def test_a_mistake_is_not_tried_again() -> None:
    calls = 0

    async def act() -> None:
        nonlocal calls
        calls += 1
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        await retrying("act", act)
    assert calls == 1


async def test_attempts_may_be_bounded() -> None:
    calls = 0

    async def act() -> None:
        nonlocal calls
        calls += 1
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the one above
        await retrying("act", act, attempts=2)
    assert calls == 2


async def test_a_cancelled_task_ends_even_if_its_rollback_hides_the_cancellation() -> None:
    begun = asyncio.Event()

    async def act() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionResetError from None

    task = asyncio.create_task(retrying("act", act))
    await begun.wait()
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
