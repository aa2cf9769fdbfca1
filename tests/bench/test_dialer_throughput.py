"""How many calls one core of a dialer sees through, from grant to ending, on an instant network."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import DatabaseFactory
from tests.dialer_story import numbers
from tests.dialing import Dialing, dialing

CALLS = 4000
WANTED = 500
"""Calls per second of a dialer's processor time."""


@pytest.fixture
async def house(
    kafka: str, database: DatabaseFactory, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Dialing]:
    async with dialing(kafka, topic_prefix, database, tmp_path) as house:
        await house.start_phones()
        yield house


@pytest.mark.bench
async def test_a_core_of_a_dialer_sees_five_hundred_calls_a_second_through(house: Dialing) -> None:
    dialer = await house.start_dialer(ROLLCALL_LOG_LEVEL="warning", ROLLCALL_SILENCE_SECONDS="15")
    batch = await house.batch()
    granted = house.grants(batch, numbers(CALLS))
    calls = [event.call_id for event in granted]
    process = psutil.Process(dialer.child.pid)
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    await house.publish(granted)
    await house.until_over(calls, within=100)
    took, used = time.monotonic() - began, sum(process.cpu_times()[:2]) - before
    print(f"{CALLS} calls in {took:.1f} s ({CALLS / took:.0f}/s); {used:.1f} s of processor")
    print(f"{CALLS / used:.0f} calls per second and core")
    await house.judge()
    assert len(house.ended()) == CALLS
    assert CALLS / used >= WANTED
