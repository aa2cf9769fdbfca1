"""What waits costs nothing, and misses nothing: neither its instant nor its news."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.postgres import Connection
from contracts.batches import (
    Addition,
    BatchPauseRequested,
    BatchResumeRequested,
    RecipientsAddRequested,
    RetryPolicy,
)
from contracts.calendar import WEEK, Window
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import addition_id_of, chunk_id_of, recipient_id_of
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.status import BatchStatusEvent
from services.scheduler import loading
from services.scheduler.loading import Creations, begin, load_batches
from tests.conftest import DatabaseFactory
from tests.scheduler_story import ACCOUNT, NOON, Story, account, ended
from tests.scheduler_world import World, world_on

HOUR = timedelta(hours=1)


@pytest.fixture
async def world(database: DatabaseFactory) -> AsyncIterator[World]:
    async with world_on(await database()) as world:
        yield world


def names(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def grants(events: Sequence[Event]) -> list[RecipientQueued]:
    return [event for event in events if isinstance(event, RecipientQueued)]


async def looked_at(world: World) -> set[UUID]:
    """The batches that a decision taken now would load."""

    async def load(conn: Connection) -> set[UUID]:
        at, _ = await begin(conn, [ACCOUNT])
        loaded = await load_batches(conn, [ACCOUNT], at, (), Creations())
        return {it.batch.batch_id for it in loaded}

    async with world.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            return await load(conn)
        finally:
            await transaction.rollback()


def closed() -> Window:
    """Open on one day, which is neither today nor tomorrow."""
    day = WEEK[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    return Window(start="00:00", end="24:00", days=(day,), timezone="UTC")


async def asleep(world: World) -> dict[str, Story]:
    """One batch of each kind that has nothing to do for now."""
    now = datetime.now(UTC)
    kinds = ("scheduled", "pending", "paused", "closed", "delayed", "incomplete", "ended")
    them = {name: Story(name, recipients=1) for name in kinds}
    created: dict[str, dict[str, Any]] = {
        "scheduled": {"scheduled_at": now + HOUR},
        "pending": {"start": False},
        "closed": {"window": closed()},
        "delayed": {"retry_policy": RetryPolicy(max_attempts=2, delay_seconds=(7200,))},
    }
    for name, story in them.items():
        events: list[Event] = [story.created(**created.get(name, {}))]
        events += [] if name == "incomplete" else [story.chunk()]
        said = await world.when(account(9), *events)
        outcome = Outcome.COMPLETED if name == "ended" else Outcome.NO_ANSWER
        if name in {"delayed", "ended"}:
            ends = [ended(g.model_copy(update={"at": now}), outcome) for g in grants(said)]
            await world.when(*ends)
    await world.when(them["paused"].ask(BatchPauseRequested))
    return them


async def test_no_batch_that_waits_is_looked_at_and_the_first_instant_of_all_is_kept(
    world: World,
) -> None:
    them = await asleep(world)
    running = Story("running", recipients=3)
    await world.when(running.created(), running.chunk())
    assert await looked_at(world) == {running.batch_id}
    now = datetime.now(UTC)
    next_at = (await world.decided()).next_at
    assert next_at is not None
    assert timedelta(minutes=59) < next_at - now <= HOUR
    await world.pool.execute(
        "UPDATE batches SET scheduled_at = now() WHERE batch_id = $1", them["scheduled"].batch_id
    )
    assert names(await world.when()) == ["BatchStarted", "RecipientQueued"]


async def test_a_batch_that_naps_is_up_with_the_first_news_of_it(world: World) -> None:
    them = await asleep(world)
    incomplete, delayed, paused = them["incomplete"], them["delayed"], them["paused"]
    assert await looked_at(world) == set()
    assert names(await world.when(incomplete.chunk())) == ["BatchStarted", "RecipientQueued"]
    await world.when(paused.ask(BatchResumeRequested))
    assert paused.batch_id in await looked_at(world)
    more = Addition(addition_id=addition_id_of(delayed.batch_id, 2), chunks=1, recipients=1)
    said = await world.when(delayed.ask(RecipientsAddRequested, addition=more))
    assert names(said) == ["RecipientsAddAccepted"]
    assert delayed.batch_id not in await looked_at(world)
    assert names(await world.when(chunk_of(delayed, more))) == ["RecipientQueued"]


def chunk_of(story: Story, addition: Addition) -> RecipientsAdded:
    recipient_id = recipient_id_of(addition.addition_id, 1)
    return RecipientsAdded(
        account_id=ACCOUNT,
        at=NOON,
        batch_id=story.batch_id,
        addition_id=addition.addition_id,
        chunk_id=chunk_id_of(addition.addition_id, "accepted", 0),
        chunk_no=0,
        chunks=1,
        recipients=(RecipientEntry(recipient_id=recipient_id, row=1, sealed="s"),),
    )


async def test_a_batch_that_could_call_but_for_a_slot_does_not_nap(world: World) -> None:
    one, two = Story("one", recipients=2), Story("two", recipients=2)
    (first,) = grants(await world.when(account(1), one.created(), one.chunk()))
    assert grants(await world.when(two.created(), two.chunk())) == []
    assert await looked_at(world) == {one.batch_id, two.batch_id}
    (second,) = grants(await world.when(ended(first)))
    assert second.batch_id == two.batch_id


async def in_turns(world: World) -> list[list[Event]]:
    """What each decision says, for as long as another one is due at once."""
    said = []
    while await world.pool.fetchval("SELECT count(*) FROM wakes WHERE due_at <= clock_timestamp()"):
        said.append((await world.decided()).events)
    return said


async def test_commands_are_answered_some_at_a_time_each_batch_s_in_their_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MOST_COMMANDS", 4)
    them = [Story(f"b{n}", recipients=1) for n in range(6)]
    for story in them:
        await world.given(story.created(start=False), story.ask(BatchPauseRequested))
    said = await in_turns(world)
    assert [len(events) for events in said if events] == [4, 4, 4]
    everything = [event for events in said for event in events]
    for story in them:
        ours = [
            event
            for event in everything
            if isinstance(event, BatchStatusEvent) and event.batch_id == story.batch_id
        ]
        assert names(ours) == ["BatchScheduled", "BatchActionRejected"]
        assert [event.command_no for event in ours] == [1, 2]


async def test_batches_that_are_due_at_once_start_some_at_a_time_one_turn_after_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MOST_DUE", 3)
    later = datetime.now(UTC) + HOUR
    for n in range(8):
        story = Story(f"b{n}", recipients=1)
        await world.when(story.created(scheduled_at=later), story.chunk())
    await world.pool.execute("UPDATE batches SET scheduled_at = now()")
    await world.given(account(1))
    said = [names(events).count("BatchStarted") for events in await in_turns(world)]
    assert [count for count in said if count] == [3, 3, 2]
