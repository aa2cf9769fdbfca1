"""One commit serves many."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis.groupcommit import GroupCommit


async def test_what_arrives_during_a_transaction_goes_together_into_the_next() -> None:
    groups: list[list[int]] = []
    free = asyncio.Event()

    async def run(items: list[int]) -> Sequence[int | Exception]:
        groups.append(items)
        await free.wait()
        return [item * 10 for item in items]

    commit = GroupCommit(run, most=3)
    asked = [asyncio.create_task(commit.do(n)) for n in range(6)]
    await asyncio.sleep(0)
    free.set()
    assert await asyncio.gather(*asked) == [0, 10, 20, 30, 40, 50]
    assert groups == [[0, 1, 2], [3, 4, 5]]


async def test_each_gets_its_own_error_and_what_breaks_a_transaction_fails_alone() -> None:
    async def run(items: list[int]) -> Sequence[int | Exception]:
        if 9 in items:
            raise OSError("lost")
        return [ValueError(item) if item < 0 else item for item in items]

    commit = GroupCommit(run)
    first = await asyncio.gather(commit.do(1), commit.do(-1), return_exceptions=True)
    assert first[0] == 1
    assert isinstance(first[1], ValueError)
    with pytest.raises(OSError, match="lost"):
        await commit.do(9)
    assert await commit.do(2) == 2
    one, poison, three = await asyncio.gather(
        commit.do(1), commit.do(9), commit.do(3), return_exceptions=True
    )
    assert (one, three) == (1, 3)
    assert isinstance(poison, OSError)


async def test_one_who_leaves_takes_nobody_along() -> None:
    free = asyncio.Event()

    async def run(items: list[int]) -> Sequence[int | Exception]:
        await free.wait()
        return items

    commit = GroupCommit(run)
    leaving, staying = asyncio.create_task(commit.do(1)), asyncio.create_task(commit.do(2))
    await asyncio.sleep(0)
    leaving.cancel()
    free.set()
    assert await staying == 2
