"""Two things at once: both end before either's error is told."""

import asyncio

import pytest

from services.ingest.uploading.overlap import both


async def test_the_error_of_one_waits_for_the_end_of_the_other() -> None:
    ended: list[str] = []
    may_end = asyncio.Event()

    async def fails() -> None:
        may_end.set()
        raise ConnectionError

    async def ends() -> None:
        await may_end.wait()
        for _ in range(3):
            await asyncio.sleep(0)
        ended.append("the other")

    for pair in ((fails(), ends()), (ends(), fails())):
        with pytest.raises(ConnectionError):
            await both(*pair)
    assert ended == ["the other"] * 2


async def test_both_results_come_back_in_order() -> None:
    async def said(word: str) -> str:
        return word

    assert await both(said("one"), said("other")) == ("one", "other")
