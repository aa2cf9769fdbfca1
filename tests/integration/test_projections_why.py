"""People read why somebody is not called, and when a batch will be done: from rows, at any size."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from chassis.queries import check_queries
from chassis.vault import pepper_scope
from chassis.wake import News
from contracts import batches, status
from contracts.batches import RetryPolicy
from contracts.directory import AccountConfigured, SuppressionAdded, SuppressionRemoved
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.recipients import RecipientsAdded
from contracts.sealed import digest_of
from contracts.statuses import BatchStatus
from services.projections.domain.position import EntryPosition
from services.projections.explaining import Q
from services.projections.store import reading
from services.projections.visibility import Visibility
from tests.batch_story import AT, Story, a_story
from tests.read_side import Json, ReadSide, read_side

LATER = datetime(2100, 1, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads the batches of an account of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


async def told(reads: ReadSide, story: Story, *events: Event) -> Json:
    await reads.log(events)
    await reads.caught_up()
    return await reads.get(f"/v1/batches/{story.batch_id}")


async def why(reads: ReadSide, story: Story, row: int) -> list[tuple[str, str]]:
    path = f"/v1/batches/{story.batch_id}/recipients/{story.recipient_id(row)}/why"
    return [(it["code"], it["message"]) for it in (await reads.get(path))["reasons"]]


def may_call(limit: int) -> AccountConfigured:
    return AccountConfigured(
        account_id="default", at=AT, version=limit, actor="t", concurrency=limit
    )


def with_settings(chunk: Event, **settings: dict[int, object]) -> Event:
    """The same people, some with settings of their own by row."""
    assert isinstance(chunk, RecipientsAdded)
    changed = tuple(
        entry.model_copy(
            update={name: of[entry.row] for name, of in settings.items() if entry.row in of}
        )
        for entry in chunk.recipients
    )
    return chunk.model_copy(update={"recipients": changed})


async def test_every_statement_fits_the_schema(reads: ReadSide) -> None:
    async with reading(reads.service.ground.pool) as read:
        await check_queries(read.conn, Q)


async def test_who_paused_is_named_and_all_else_that_is_in_the_way(reads: ReadSide) -> None:
    story = await a_story(reads)
    chunk = with_settings(
        story.chunk(), not_before={2: LATER}, same_number_as={3: story.recipient_id(1)}
    )
    twice = [
        story.command(batches.BatchPauseRequested, 2),
        story.command(batches.BatchPauseRequested, 3),
    ]
    asked = [
        event.model_copy(update={"actor": actor})
        for event, actor in zip(twice, ["anna", "bob"], strict=True)
    ]
    started = story.started()
    paused = story.status(status.BatchPaused, BatchStatus.PAUSED, command_no=2)
    refused = story.status(
        status.BatchActionRejected, BatchStatus.PAUSED, command_no=3, action="pause"
    )
    batch = await told(reads, story, story.created(), chunk, *asked, started, paused, refused)
    assert (batch["estimated_finish_at"], batch["estimate_reason"]["code"]) == (None, "paused")
    held = (
        "batch_paused",
        "The batch was paused by anna on Monday 4 May 2026 at 09:00 (UTC); resume it.",
    )
    assert await why(reads, story, 1) == [held]
    assert [code for code, _ in await why(reads, story, 2)] == ["batch_paused", "not_before"]
    assert [code for code, _ in await why(reads, story, 3)] == ["batch_paused", "number_busy"]


async def test_who_waits_for_a_slot_learns_behind_how_many(reads: ReadSide) -> None:
    story = await a_story(reads, people=9)
    policy = RetryPolicy(max_attempts=3, delay_seconds=(60,))
    created = story.created().model_copy(update={"retry_policy": policy})
    chunk = with_settings(
        story.chunk(), not_before={5: LATER, 6: AT}, same_number_as={9: story.recipient_id(8)}
    )
    await told(
        reads, story, may_call(2), created, chunk, story.started(),
        story.placing(1), story.queued(2), story.completed(3, Outcome.BUSY), story.returned(4),
    )  # fmt: skip
    slots = ": all 2 calls of the account are taken, 2 of them by this batch."
    ahead = {row: (await why(reads, story, row))[0] for row in (4, 7, 8, 6, 3)}
    # by when they are due, then by row: 4 was given back, 6 asked for an hour, 3 is tried again
    assert ahead == {
        4: ("no_free_slot", "The next free slot of the batch is for this recipient" + slots),
        7: ("no_free_slot", "Waiting for a slot behind 1 other of this batch" + slots),
        8: ("no_free_slot", "Waiting for a slot behind 2 others of this batch" + slots),
        6: ("no_free_slot", "Waiting for a slot behind 4 others of this batch" + slots),
        3: ("no_free_slot", "Waiting for a slot behind 5 others of this batch" + slots),
    }
    assert await why(reads, story, 9) == [
        ("number_busy", "The same number comes earlier in this batch, and is called there first.")
    ]


async def test_the_pace_and_the_end_follow_the_calls_that_were_placed(reads: ReadSide) -> None:
    now = datetime.now(UTC)
    story = await a_story(reads, people=100)
    start = now - timedelta(minutes=2)
    started = story.started().model_copy(update={"at": start, "started_at": start})
    calls = [story.completed(row, Outcome.COMPLETED) for row in range(1, 21)]
    recent = [
        call.model_copy(update={"requested_at": now - timedelta(seconds=90),
                                "ended_at": now - timedelta(seconds=60)})
        for call in calls
    ]  # fmt: skip
    batch = await told(reads, story, may_call(10), story.created(), story.chunk(), started, *recent)
    # twenty in some two minutes; eighty are left
    assert 5 < batch["calls_per_minute"] <= 10
    finish = datetime.fromisoformat(batch["estimated_finish_at"])
    assert timedelta(minutes=8) <= finish - now <= timedelta(minutes=20)
    assert batch["estimate_reason"] is None
    again = await told(reads, story, *recent)
    assert again["calls_per_minute"] <= batch["calls_per_minute"]


async def test_as_of_an_instant_the_calls_of_its_minute_that_were_over_count(
    reads: ReadSide,
) -> None:
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
    story = await a_story(reads, people=100)
    started = story.started().model_copy(update={"at": start, "started_at": start})
    resumed = story.status(status.BatchResumed, BatchStatus.RUNNING, started_at=start)
    later = resumed.model_copy(update={"at": start + timedelta(minutes=1)})
    calls = [
        story.completed(row, Outcome.COMPLETED).model_copy(
            update={name: start + timedelta(seconds=after) for name, after in
                    (("requested_at", 5), ("at", 15), ("ended_at", 15))}
        )
        for row in range(1, 21)
    ]  # fmt: skip
    await told(reads, story, may_call(10), story.created(), story.chunk(), started, *calls, later)
    instant = start + timedelta(seconds=30)
    was = await reads.get(f"/v1/batches/{story.batch_id}", as_of=instant.isoformat())
    assert (was["calls_per_minute"], was["estimate_reason"]) == (40, None)
    finish = datetime.fromisoformat(was["estimated_finish_at"])
    # eight rounds of ten seconds, or more where the account's other batches hold slots
    assert finish >= instant + 8 * timedelta(seconds=10)


async def test_a_batch_that_is_scheduled_is_estimated_from_its_start(reads: ReadSide) -> None:
    story = await a_story(reads, people=25)
    created = story.created().model_copy(update={"scheduled_at": LATER})
    scheduled = story.status(status.BatchScheduled, BatchStatus.SCHEDULED, scheduled_at=LATER)
    waiting = await told(reads, story, may_call(10), created, scheduled)
    assert waiting["estimate_reason"]["code"] == "waiting_for_people"
    batch = await told(reads, story, story.chunk())
    finish = datetime.fromisoformat(batch["estimated_finish_at"])
    assert (batch["phase"], finish) == ("waiting_for_schedule", LATER + timedelta(minutes=3))


async def test_who_waits_on_the_do_not_call_list_is_told_so_until_it_is_lifted_or_over(
    reads: ReadSide,
) -> None:
    story = await a_story(reads, people=30)
    pepper = await reads.service.ground.vault.create(pepper_scope("default"))
    entry = {"account_id": "default", "at": AT, "actor": "t", "source": "api",
             "digest": digest_of(pepper, "+33600000030")}  # fmt: skip
    paused = story.status(status.BatchPaused, BatchStatus.PAUSED)
    await told(
        reads, story, story.created(), story.chunk(), paused,
        SuppressionAdded(**entry, version=1),
    )  # fmt: skip
    held = await why(reads, story, 29)
    listed = ("suppressed", "The number is on the do-not-call list.")
    assert await why(reads, story, 30) == [listed, *held]

    await told(
        reads, story, SuppressionRemoved(**entry, version=3), SuppressionAdded(**entry, version=2)
    )
    assert await why(reads, story, 30) == held

    await told(reads, story, SuppressionAdded(**entry, version=4, expires_at=AT))
    assert await why(reads, story, 30) == held

    await told(reads, story, SuppressionAdded(**entry, version=5, expires_at=LATER))
    path = f"/v1/batches/{story.batch_id}/recipients/{story.recipient_id(30)}/why"
    first = (await reads.get(path))["reasons"][0]
    assert (first["code"], datetime.fromisoformat(first["until"])) == ("suppressed", LATER)
    until = "The number is on the do-not-call list until Friday 1 January 2100 at 09:00 (UTC)."
    assert first["message"] == until
    report = await reads.rebuilt()
    assert [table.name for table in report.tables if not table.equal] == []
    assert "suppressions" in {table.name for table in report.tables}
    assert (await reads.get(path))["reasons"][0] == first


async def test_a_read_that_names_a_suppression_waits_for_that_version(reads: ReadSide) -> None:
    added = SuppressionAdded(
        account_id="default", at=AT, actor="t", source="api", digest="ab" * 32, version=2
    )
    await reads.log([added])
    await reads.caught_up()
    visibility = Visibility(reads.service.ground.pool, News())
    reached = [
        await visibility.reached("default", EntryPosition("suppression", added.digest, n), None)
        for n in (2, 3)
    ]
    assert reached == [True, False]
