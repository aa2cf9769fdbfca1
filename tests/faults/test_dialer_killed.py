"""Dialers die and freeze where it hurts; the ledger says whether anybody was rung twice or late."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit

import asyncpg
import pytest

from contracts.calls import CallCompleted, CallPlacing, CallReturned
from contracts.gates import BatchGateClosed
from contracts.outcomes import Outcome
from tests.conftest import DatabaseFactory
from tests.dialer_story import numbers, paused
from tests.dialing import WAITING, Dialing, until

DIALER = "services.dialer"


@asynccontextmanager
async def held_at_the_announcement(house: Dialing) -> AsyncIterator[asyncpg.Connection]:
    """A dialer stands still between the log's acknowledgement and its request."""
    conn = await asyncpg.connect(house.dsn)
    try:
        await conn.execute("""
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$;
            CREATE TRIGGER hold BEFORE UPDATE ON calls FOR EACH ROW
            WHEN (OLD.announced_at IS NULL AND NEW.announced_at IS NOT NULL
                  AND OLD.state = 'INTENT')
            EXECUTE FUNCTION hold();
            SELECT pg_advisory_lock(42)
        """)
        yield conn
    finally:
        await conn.close()


async def frozen_past_its_deadline(house: Dialing, dialer: str) -> None:
    """One of two dialers freezes with its request in hand, is given up, and thaws."""
    frozen = await house.start_dialer(dialer)
    async with held_at_the_announcement(house) as conn:
        batch = await house.batch()
        (call,) = await house.grant(batch, numbers(1))
        await until(lambda: house.of(CallPlacing, call), house.story)
        await until(lambda: conn.fetchval(WAITING))
        frozen.send(signal.SIGSTOP)
    await house.start_dialer(DIALER)
    await house.until_over([call])
    frozen.send(signal.SIGCONT)
    (after,) = await house.grant(await house.batch(), numbers(1, first=50))
    await house.until_over([after])
    await until(lambda: thawed(house), house.story)
    await house.judge()
    (placing,) = house.of(CallPlacing, call)
    late = [
        entry
        for entry in await house.ledger()
        if entry["call_id"] == str(call)
        and datetime.fromisoformat(entry["at"]) > placing.send_before
    ]
    assert late == [], "sent too late"


async def thawed(house: Dialing) -> bool:
    """The frozen one has answered for itself again, and done what it had in hand."""
    async with house.http.get(house.processes[1].url + "/readyz") as answer:
        return answer.status == 200


async def test_a_dialer_frozen_with_a_request_in_hand_never_sends_it_late(house: Dialing) -> None:
    await frozen_past_its_deadline(house, DIALER)


@pytest.mark.chaos
async def test_a_dialer_that_ignores_the_clock_is_convicted(house: Dialing) -> None:
    with pytest.raises(AssertionError, match="sent too late"):
        await frozen_past_its_deadline(house, "tests.faults.mutants.timeless_dialer")


@pytest.mark.chaos
async def test_a_dialer_killed_before_its_announcement_is_recorded_loses_nobody(
    house: Dialing,
) -> None:
    killed = await house.start_dialer()
    async with held_at_the_announcement(house):
        batch = await house.batch()
        (call,) = await house.grant(batch, numbers(1))
        await until(lambda: house.of(CallPlacing, call), house.story)
        await killed.end()
    await house.start_dialer()
    await house.until_over([call])
    await house.judge()


@pytest.mark.chaos
@pytest.mark.parametrize("turns", [2, 12])
async def test_killed_at_random_moments_everybody_is_settled_once(
    house: Dialing, turns: int
) -> None:
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    await house.behave(
        ring_seconds=[0, 0.5], talk_seconds=[0, 1],
        faults={"lost_response": 0.1, "slow": 0.1, "slow_seconds": 1, "duplicate_callback": 0.2},
    )  # fmt: skip
    dialers = [await house.start_dialer(), await house.start_dialer()]
    calls = []
    for turn in range(turns):
        granted = house.grants(await house.batch(), numbers(40, first=100 * turn))
        await house.publish([*granted, *dice.sample(granted, 10)])
        calls += [event.call_id for event in granted]
        await asyncio.sleep(dice.random() / 2)  # a random moment is what is tested
        await dialers.pop(0).end()
        dialers.append(await house.start_dialer())
    await house.until_over(calls, within=60)
    await house.judge()
    rung = {e["call_id"] for e in await house.ledger() if e["kind"] == "ring"}
    reached = {str(c) for c, e in house.ended().items() if e.outcome is Outcome.COMPLETED}
    assert reached == rung, f"seed {seed}"


async def requested_all(house: Dialing, calls: set[str]) -> bool:
    return calls <= {e["call_id"] for e in await house.ledger() if e["kind"] == "request"}


async def test_a_lost_database_rings_nobody_again_and_forgets_nobody(
    house: Dialing, database: DatabaseFactory
) -> None:
    dialer = await house.start_dialer()
    batch = await house.batch()
    over = await house.grant(batch, numbers(20))
    await house.until_over(over)
    await house.behave(ring_seconds=0, talk_seconds=3)
    live = await house.grant(await house.batch(), numbers(20, first=100))
    wanted = {str(call) for call in [*over, *live]}
    await until(lambda: requested_all(house, wanted))  # an announced one may not have left yet
    await dialer.end()
    waiting = await house.grant(await house.batch(), numbers(20, first=200))
    house.dsn = await database()
    await house.start_dialer()
    await house.until_over([*live, *waiting])
    ledger = await house.judge()
    requested = {e["call_id"] for e in ledger if e["kind"] == "request"}
    assert requested == {str(call) for call in [*over, *live, *waiting]}
    assert {house.ended()[call].outcome for call in [*live, *waiting]} == {Outcome.COMPLETED}
    assert len([e for e in house.of(CallCompleted) if e.call_id in over]) == 20


@pytest.mark.chaos
async def test_a_restored_database_rings_nobody_again(
    house: Dialing, database: DatabaseFactory
) -> None:
    dialer = await house.start_dialer(ROLLCALL_CARRIER_CALLS_PER_SECOND="10")
    batch = await house.batch()
    calls = await house.grant(batch, numbers(60))
    await until(lambda: len(house.of(CallPlacing)) >= 10)
    await dialer.end()
    backup = await copy_of(house, await database())
    second = await house.start_dialer()
    await house.until_over(calls)
    await second.end()
    house.dsn = backup
    await house.start_dialer()
    more = await house.grant(batch, numbers(5, first=100), grant_no=2)
    await house.until_over(more)
    await until(lambda: nothing_left(house), house.story)
    ledger = await house.judge()
    assert len([e for e in ledger if e["kind"] == "request"]) <= len(calls) + len(more)


async def copy_of(house: Dialing, empty: str) -> str:
    """The dialers' database as it is now."""
    name, source = (urlsplit(dsn).path.removeprefix("/") for dsn in (empty, house.dsn))
    conn = await asyncpg.connect(house.vault_dsn)
    await conn.execute(f'DROP DATABASE "{name}"')
    await conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    await conn.close()
    return empty


async def nothing_left(house: Dialing) -> bool:
    left = "SELECT FROM calls WHERE state NOT IN ('ENDED', 'RETURNED')"
    return not await house.sql(left)


async def test_a_dialer_told_to_stop_sees_its_requests_through(house: Dialing) -> None:
    await house.behave(faults={"slow": 1, "slow_seconds": 1})
    stopped = await house.start_dialer()
    calls = await house.grant(await house.batch(), numbers(20))
    await until(lambda: len(house.of(CallPlacing)) == 20, house.story)
    assert await stopped.end(signal.SIGTERM) == 0
    states = {row["state"] for row in await house.sql("SELECT state::text FROM calls")}
    assert states <= {"STARTED", "ENDED"}
    await house.start_dialer()
    await house.until_over(calls)
    assert {house.ended()[call].outcome for call in calls} == {Outcome.COMPLETED}
    await house.judge()


async def test_two_dialers_together_keep_to_the_carrier_s_rate(house: Dialing) -> None:
    await house.behave(calls_per_second=60)
    for _ in range(2):
        await house.start_dialer(ROLLCALL_CARRIER_CALLS_PER_SECOND="40")
    calls = await house.grant(await house.batch(), numbers(120))
    await house.until_over(calls)
    assert house.of(CallReturned) == []  # the carrier never had to refuse
    await house.judge()


async def test_a_pause_is_confirmed_only_when_no_request_can_follow(house: Dialing) -> None:
    await house.behave(faults={"slow": 0.5, "slow_seconds": 1, "lost_response": 0.2})
    for _ in range(2):
        await house.start_dialer(ROLLCALL_CARRIER_CALLS_PER_SECOND="50")
    batch = await house.batch()
    granted = house.grants(batch, numbers(300))
    calls = [event.call_id for event in granted]
    await house.publish(granted)
    await until(lambda: len(house.of(CallPlacing)) >= 20, house.story)
    await house.publish([paused(batch, epoch=1)])
    await until(lambda: house.of(BatchGateClosed), house.story)
    (closed,) = house.of(BatchGateClosed)
    await house.until_over(calls, within=60)
    ledger = await house.judge()
    sent = [datetime.fromisoformat(e["at"]) for e in ledger if e["kind"] == "request"]
    assert max(sent) <= closed.at
    assert len(house.of(CallReturned)) > 0
