"""Real PostgreSQL; the log is played by hand, so that each decision can be looked at."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from chassis import telemetry
from chassis.postgres import Pool
from chassis.queries import check_queries
from contracts.batches import (
    BatchCancelRequested,
    BatchDeleted,
    BatchImportFailed,
    BatchPauseRequested,
    BatchRenamed,
    BatchResumeRequested,
    BatchRetryRequested,
    BatchStartRequested,
    RecipientRemovalRequested,
    RetryPolicy,
)
from contracts.calendar import WEEK, Window
from contracts.calls import ReturnReason
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.status import BatchStatusEvent
from services.scheduler import handlers
from services.scheduler.decider import Decider
from services.scheduler.loading import begin
from services.scheduler.store import Q
from tests.conftest import DatabaseFactory
from tests.scheduler_story import ACCOUNT, Story, account, ended, placing, queued, returned
from tests.scheduler_world import World, received, world_on


@pytest.fixture
async def world(database: DatabaseFactory) -> AsyncIterator[World]:
    async with world_on(await database()) as world:
        yield world


def names(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def grants(events: Sequence[Event]) -> list[RecipientQueued]:
    return [event for event in events if isinstance(event, RecipientQueued)]


def rows_called(story: Story, events: Sequence[Event]) -> list[int]:
    row = {story.recipient(row): row for row in range(1, 100)}
    return [row[grant.recipient_id] for grant in grants(events)]


def statuses(events: Sequence[Event]) -> list[BatchStatusEvent]:
    return [event for event in events if isinstance(event, BatchStatusEvent)]


async def test_every_query_fits_the_schema(world: World) -> None:
    async with world.pool.acquire() as conn:
        await check_queries(conn, Q)


async def test_a_batch_runs_from_its_creation_to_its_end(world: World) -> None:
    story = Story(recipients=3)
    assert names(await world.when(account(2), story.created())) == ["BatchScheduled"]
    began = await world.when(story.chunk())
    assert names(began) == ["BatchStarted", "RecipientQueued", "RecipientQueued"]
    assert rows_called(story, began) == [1, 2]
    first, second = grants(began)
    assert rows_called(story, await world.when(placing(first), ended(first))) == [3]
    assert await world.when(ended(second, Outcome.NO_ANSWER)) == []
    third = queued(story.batch_id, story.recipient(3))
    done = await world.when(ended(third))
    assert names(done) == ["BatchCompleted"]
    assert statuses(done)[0].result == "completed_partial"


async def test_nobody_is_called_before_all_chunks_have_landed(world: World) -> None:
    story = Story(recipients=4, chunks=2)
    assert names(await world.when(account(9), story.created(), story.chunk(1))) == [
        "BatchScheduled"
    ]
    assert await world.when(story.chunk(1)) == []
    assert len(grants(await world.when(story.chunk(0)))) == 4


async def test_the_account_s_limit_holds_over_all_its_batches(world: World) -> None:
    one, two = Story("one", recipients=8), Story("two", recipients=8)
    events = await world.when(account(5), one.created(), two.created(), one.chunk(), two.chunk())
    shares = [sum(g.batch_id == s.batch_id for g in grants(events)) for s in (one, two)]
    assert sorted(shares) == [2, 3]
    assert await world.when() == []


async def test_with_one_slot_two_batches_take_turns(world: World) -> None:
    one, two = Story("one", recipients=4), Story("two", recipients=4)
    events = await world.when(account(1), one.created(), two.created(), one.chunk(), two.chunk())
    turns = []
    for _ in range(6):
        (grant,) = grants(events)
        turns.append(grant.batch_id)
        events = await world.when(ended(grant))
    assert [a != b for a, b in pairwise(turns)] == [True] * 5


async def test_many_deciders_at_once_grant_no_slot_twice(world: World) -> None:
    story = Story(recipients=40)
    await world.given(account(10), story.created(), story.chunk())
    others = [Decider(world.pool, published=lambda: None) for _ in range(6)]
    decided = await asyncio.gather(*(decider.decide(ACCOUNT) for decider in others))
    assert len({g.call_id for d in decided for g in grants(d.events)}) == 10
    assert sum(len(grants(d.events)) for d in decided) == 10


async def test_each_command_gets_one_verdict_that_names_it(world: World) -> None:
    story = Story(recipients=2)
    await world.when(account(1), story.created(start=False), story.chunk())
    asked = [
        story.ask(BatchStartRequested),
        story.ask(BatchPauseRequested),
        story.ask(BatchPauseRequested),
        story.ask(BatchRenamed, name="sealed"),
        story.ask(BatchResumeRequested),
        story.ask(RecipientRemovalRequested, recipient_id=story.recipient(2)),
        story.ask(RecipientRemovalRequested, recipient_id=story.recipient(2)),
        story.ask(BatchCancelRequested),
        story.ask(BatchRetryRequested),
    ]
    said = await world.when(*asked, *asked)
    assert names(said) == [
        "BatchStarted",
        "BatchPaused",
        "BatchActionRejected",
        "BatchResumed",
        "RecipientRemoved",
        "BatchActionRejected",
        "BatchCancelled",
        "BatchRetried",
        "BatchStarted",
        "RecipientQueued",
    ]
    verdicts = [event for event in statuses(said) if event.command_id]
    wanted = [command for command in asked if not isinstance(command, BatchRenamed)]
    assert [event.command_id for event in verdicts] == [command.command_id for command in wanted]
    assert [event.sequence for event in statuses(said)] == list(range(2, 11))
    assert await world.when(*asked) == []


async def test_a_paused_batch_starts_no_call_and_a_resumed_one_goes_on(world: World) -> None:
    story = Story(recipients=3)
    events = await world.when(account(1), story.created(), story.chunk())
    (first,) = grants(events)
    assert names(await world.when(story.ask(BatchPauseRequested))) == ["BatchPaused"]
    assert await world.when(ended(first)) == []
    resumed = await world.when(story.ask(BatchResumeRequested))
    assert names(resumed) == ["BatchResumed", "RecipientQueued"]
    assert grants(resumed)[0].epoch == 2


async def test_a_call_given_back_is_granted_again_and_is_no_attempt(world: World) -> None:
    story = Story(recipients=1)
    (first,) = grants(await world.when(account(1), story.created(), story.chunk()))
    (second,) = grants(await world.when(returned(first, ReturnReason.NUMBER_BUSY)))
    assert (second.grant_no, second.attempt, second.run_attempt) == (2, 1, 1)


async def test_a_call_given_back_for_later_is_granted_later(world: World) -> None:
    story = Story(recipients=1)
    (first,) = grants(await world.when(account(1), story.created(), story.chunk()))
    later = datetime.now(UTC) + timedelta(hours=1)
    await world.given(returned(first, ReturnReason.NUMBER_BUSY, not_before=later))
    decided = await world.decided()
    assert decided.events == []
    assert decided.next_at == later


async def test_the_policy_calls_again_after_its_delay(world: World) -> None:
    story = Story(recipients=1)
    policy = RetryPolicy(max_attempts=2, delay_seconds=(600,))
    (first,) = grants(
        await world.when(account(1), story.created(retry_policy=policy), story.chunk())
    )
    now = datetime.now(UTC)
    await world.given(ended(first.model_copy(update={"at": now}), Outcome.BUSY))
    decided = await world.decided()
    assert decided.events == []
    assert decided.next_at == now + timedelta(seconds=600)


async def test_a_retry_calls_those_not_reached_and_nobody_else(world: World) -> None:
    story = Story(recipients=4)
    said = await world.when(account(9), story.created(), story.chunk())
    outcomes = [Outcome.COMPLETED, Outcome.NO_ANSWER, Outcome.UNKNOWN, Outcome.FAILED]
    ends = [ended(grant, outcome) for grant, outcome in zip(grants(said), outcomes, strict=True)]
    assert names(await world.when(*ends)) == ["BatchCompleted"]
    again = await world.when(story.ask(BatchRetryRequested))
    assert rows_called(story, again) == [2, 4]
    assert {grant.run_attempt for grant in grants(again)} == {1}
    assert {grant.attempt for grant in grants(again)} == {2}
    assert names(await world.when(*map(ended, grants(again)))) == ["BatchCompleted"]
    asked = await world.when(story.ask(BatchRetryRequested, include_unknown=True))
    assert rows_called(story, asked) == [3]
    (grant,) = grants(asked)
    assert [earlier.call_id for earlier in grant.look_up_first] == [ends[2].call_id]
    done = await world.when(ended(grant))
    assert statuses(done)[0].result == "completed"
    refused = await world.when(story.ask(BatchRetryRequested))
    assert names(refused) == ["BatchActionRejected"]


async def test_a_fatal_fault_fails_the_batch_once_and_only_in_its_epoch(world: World) -> None:
    story = Story(recipients=2)
    one, two = grants(await world.when(account(2), story.created(), story.chunk()))
    fault = returned(one, ReturnReason.FATAL_FAULT, detail="carrier_unauthorized")
    failed = await world.when(fault)
    assert names(failed) == ["BatchFailed"]
    assert statuses(failed)[0].reason_code == "carrier_unauthorized"
    again = await world.when(story.ask(BatchRetryRequested))
    assert names(again) == ["BatchRetried", "BatchStarted", "RecipientQueued"]
    late = returned(two, ReturnReason.FATAL_FAULT, detail="carrier_unauthorized")
    assert names(await world.when(late)) == ["RecipientQueued"]


async def test_a_lost_import_fails_the_batch(world: World) -> None:
    story = Story(recipients=2)
    lost = {"addition_id": story.addition_id, "reason": "rows_lost"}
    await world.given(account(2), story.created())
    said = await world.when(story.ask(BatchImportFailed, **lost))
    assert names(said) == ["BatchScheduled", "BatchFailed"]
    assert names(await world.when(story.ask(BatchRetryRequested))) == ["BatchActionRejected"]


async def test_the_second_row_of_a_number_waits_for_the_end_of_the_first(world: World) -> None:
    story = Story(recipients=2)
    twin = story.chunk(0, rows=[2], same_number_as=story.recipient(1)).recipients
    chunk = story.chunk(0, rows=[1])
    chunk = chunk.model_copy(update={"recipients": (*chunk.recipients, *twin)})
    began = await world.when(account(5), story.created(), chunk)
    assert rows_called(story, began) == [1]
    assert rows_called(story, await world.when(ended(grants(began)[0]))) == [2]


async def test_outside_its_window_a_batch_waits_for_the_opening(world: World) -> None:
    story = Story(recipients=2)
    now = datetime.now(UTC)
    tomorrow = WEEK[(now + timedelta(days=2)).weekday()]
    window = Window(start="00:00", end="24:00", days=(tomorrow,), timezone="UTC")
    await world.given(account(5), story.created(window=window), story.chunk())
    decided = await world.decided()
    assert names(decided.events) == ["BatchScheduled", "BatchStarted"]
    midnight = (now + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert decided.next_at == midnight


async def test_a_recipient_s_own_zone_decides_when_it_is_called(world: World) -> None:
    story = Story(recipients=2, chunks=2)
    now = datetime.now(UTC)
    opens = (now + timedelta(hours=1)).strftime("%H:%M")
    closes = (now + timedelta(hours=3)).strftime("%H:%M")
    window = Window(start=closes, end=opens, days=WEEK, timezone="recipient")
    ahead = "Etc/GMT-2"  # two hours ahead of UTC: its clocks already show closed hours
    await world.given(account(5), story.created(window=window))
    said = await world.when(
        story.chunk(0, zones=("Etc/UTC",)), story.chunk(1, zones=(ahead, "Etc/UTC"))
    )
    assert rows_called(story, said) == [1]


async def test_what_is_not_placed_by_its_end_is_given_up(world: World) -> None:
    story = Story(recipients=2)
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    said = await world.when(account(1), story.created(expires_at=soon), story.chunk())
    (grant,) = grants(said)
    assert grant.place_before == soon
    decided = await world.decided()
    assert decided.next_at == soon
    await world.pool.execute("SELECT pg_sleep_until($1)", soon)
    assert await world.when() == []
    done = await world.when(ended(grant))
    assert names(done) == ["BatchCompleted"]
    assert done[0].model_dump()["expired"] is True
    assert names(await world.when(story.ask(BatchRetryRequested)))[-1] == "RecipientQueued"


async def test_a_deleted_batch_calls_nobody_and_holds_its_slots_until_its_calls_end(
    world: World,
) -> None:
    gone, other = Story("gone", recipients=2), Story("other", recipients=2)
    (grant,) = grants(await world.when(account(1), gone.created(), gone.chunk()))
    await world.given(other.created(), other.chunk())
    assert grants(await world.when(gone.ask(BatchDeleted))) == []
    (next_one,) = grants(await world.when(ended(grant)))
    assert next_one.batch_id == other.batch_id
    left = await world.pool.fetchval(
        "SELECT count(*) FROM recipients WHERE batch_id = $1 AND sealed IS NOT NULL", gone.batch_id
    )
    assert left == 0


async def test_a_quarantined_batch_holds_its_slots_and_the_others_go_on(world: World) -> None:
    bad, good = Story("bad", recipients=3), Story("good", recipients=3)
    await world.when(account(2), bad.created(), bad.chunk(0, rows=[1]))
    await world.pool.execute(
        'INSERT INTO quarantined_batches (batch_id, topic, partition, "offset", error)'
        " VALUES ($1, 't', 0, 0, 'x')",
        bad.batch_id,
    )
    assert {g.batch_id for g in grants(await world.when(good.created(), good.chunk()))} == {
        good.batch_id
    }
    assert len(await in_flight(world.pool)) == 2


async def test_a_grant_continues_the_trace_of_the_event_that_freed_its_slot(world: World) -> None:
    telemetry.configure("scheduler")
    story = Story(recipients=2)
    (first,) = grants(await world.when(account(1), story.created(), story.chunk()))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    end = received(ended(first))._replace(traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    async with world.pool.acquire() as conn, conn.transaction():
        await handlers.fold(conn, [end])
    await world.when()
    headers = await world.pool.fetchval("SELECT headers FROM outbox ORDER BY id DESC LIMIT 1")
    assert trace in headers


async def in_flight(pool: Pool) -> Mapping[UUID, int]:
    async with pool.acquire() as conn:
        _, (account,) = await begin(conn, [ACCOUNT])
        return account.calls
