"""What people read of a batch follows it through its whole life: grown, retried, stopped, gone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from contracts import batches, status
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.statuses import BatchStatus
from tests.batch_story import AT, Story, rows
from tests.read_side import Json, ReadSide, read_side

FAR_OFF = datetime(2100, 1, 1, tzinfo=UTC)
ENDED: Json = {"result": "completed_partial", "finished_at": AT, "started_at": AT}


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads batches of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


async def a_running_batch(reads: ReadSide, people: int = 3) -> Story:
    batch_id = uuid4()
    story = Story(await reads.seal(batch_id), batch_id, people)
    await told(reads, story, story.created(), story.chunk(), story.started())
    return story


async def told(reads: ReadSide, story: Story, *events: Event) -> Json:
    """The batch after these."""
    await reads.log(events)
    await reads.caught_up()
    return await reads.get(f"/v1/batches/{story.batch_id}")


async def person(reads: ReadSide, story: Story, row: int) -> Json:
    return await reads.get(f"/v1/batches/{story.batch_id}/recipients/{story.recipient_id(row)}")


def numbered(batch: Json) -> Json:
    """The counts that are not zero."""
    return {name: count for name, count in batch["recipients"].items() if count}


async def test_a_new_name_is_all_that_a_rename_changes(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    before = await reads.get(f"/v1/batches/{story.batch_id}")
    seal = await reads.seal(story.batch_id)
    name = f"Late frost {story.batch_id}"
    renamed = story.command(batches.BatchRenamed, 2, name=seal.close(name))
    assert await told(reads, story, renamed) == before | {"name": name}
    (found,) = await reads.pages("/v1/batches", search=name)
    assert found["batch_id"] == str(story.batch_id)


async def test_of_a_deleted_batch_nothing_is_read_whatever_comes_later(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    await reads.log([story.placing(1), story.completed(1, Outcome.COMPLETED)])
    await reads.log([story.command(batches.BatchDeleted, 2)])
    await reads.caught_up()
    await reads.log([story.chunk(), story.placing(2), story.completed(2, Outcome.COMPLETED)])
    await reads.caught_up()
    batch = f"/v1/batches/{story.batch_id}"
    for path in (
        batch,
        f"{batch}/recipients",
        f"{batch}/recipients/{story.recipient_id(1)}",
        f"{batch}/calls",
        f"{batch}/rejections",
        f"/v1/calls/{story.call_id(1)}",
        f"/v1/calls/{story.call_id(2)}",
    ):
        assert (await reads.http.get(path)).status_code == 404, path
    listed = await reads.pages("/v1/batches")
    assert str(story.batch_id) not in {it["batch_id"] for it in listed}


async def test_whoever_is_added_counts_once_the_addition_is_accepted(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    asked, chunk = story.more(4)
    batch = await told(reads, story, asked)
    assert numbered(batch) == {"total": 3, "pending": 3}
    batch = await told(reads, story, story.accepted(4, BatchStatus.RUNNING))
    assert (numbered(batch), batch["phase"]) == ({"total": 4, "pending": 4}, "dispatching")
    await told(reads, story, chunk)
    assert await rows(reads, f"/v1/batches/{story.batch_id}/recipients") == [1, 2, 3, 4]


async def test_an_addition_that_was_refused_changes_nothing(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    before = await reads.get(f"/v1/batches/{story.batch_id}")
    asked, _ = story.more(4)
    refused = story.status(
        status.BatchActionRejected,
        BatchStatus.RUNNING,
        action="add",
        refusal="batch_ended",
        started_at=AT,
    )
    assert await told(reads, story, asked, refused) == before


async def test_whoever_is_removed_is_gone_from_counts_and_lists(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    batch = await told(reads, story, story.removed(2))
    assert numbered(batch) == {"total": 2, "pending": 2}
    path = f"/v1/batches/{story.batch_id}/recipients"
    assert await rows(reads, path) == await rows(reads, path, sort="name") == [1, 3]
    gone = await reads.refusal(f"{path}/{story.recipient_id(2)}")
    assert gone == (404, "recipient_not_found")


async def test_whoever_is_removed_after_a_slot_was_given_back_is_not_counted_as_waiting(
    reads: ReadSide,
) -> None:
    story = await a_running_batch(reads)
    await reads.log([story.queued(2), story.returned(2), story.removed(2)])
    for row in (1, 3):
        await reads.log([story.placing(row), story.completed(row, Outcome.COMPLETED)])
    over = story.status(status.BatchCompleted, BatchStatus.COMPLETED, **ENDED)
    batch = await told(reads, story, over)
    assert numbered(batch) == {"total": 2, "completed": 2}
    assert (batch["status"], batch["result"], batch["remaining"]) == ("COMPLETED", "completed", 0)


async def an_ended_batch(reads: ReadSide) -> Story:
    """One was reached, one did not answer, one number is wrong, of one nobody knows."""
    story = await a_running_batch(reads, people=4)
    outcomes = Outcome.COMPLETED, Outcome.NO_ANSWER, Outcome.INVALID, Outcome.UNKNOWN
    await reads.log([story.completed(row, outcome) for row, outcome in enumerate(outcomes, 1)])
    over = story.status(status.BatchCompleted, BatchStatus.COMPLETED, **ENDED)
    batch = await told(reads, story, over)
    assert (batch["status"], batch["result"]) == ("COMPLETED", "completed_partial")
    assert batch["finished_at"] is not None
    assert numbered(batch) == {"total": 4, "completed": 1, "no_answer": 1, "failed": 2}
    assert batch["allowed_actions"] == ["retry", "rename", "delete"]
    return story


async def test_a_retry_shows_those_not_reached_as_pending_and_the_end_as_undone(
    reads: ReadSide,
) -> None:
    story = await an_ended_batch(reads)
    batch = await told(reads, story, story.retried(epoch=2, retry_epoch=2))
    assert (batch["status"], batch["result"], batch["finished_at"]) == ("SCHEDULED", None, None)
    assert numbered(batch) == {"total": 4, "completed": 1, "pending": 2, "failed": 1}
    assert batch["allowed_actions"] == ["cancel", "rename", "delete"]
    seen = [await person(reads, story, row) for row in (1, 2, 3, 4)]
    assert [(it["status"], it["outcome"], it["attempts"]) for it in seen] == [
        ("COMPLETED", "completed", 1),
        ("PENDING", None, 1),
        ("PENDING", None, 1),
        ("FAILED", "unknown", 1),
    ]
    path = f"/v1/batches/{story.batch_id}/recipients"
    assert await rows(reads, path, status="PENDING") == [2, 3]
    assert await rows(reads, path, outcome="no_answer") == []


async def test_those_of_whom_nobody_knows_are_called_again_only_when_they_are_asked_for(
    reads: ReadSide,
) -> None:
    story = await an_ended_batch(reads)
    again = story.retried(epoch=2, retry_epoch=2, unknown_retry_epoch=2)
    assert numbered(await told(reads, story, again)) == {"total": 4, "completed": 1, "pending": 3}
    assert (await person(reads, story, 4))["status"] == "PENDING"


async def test_a_cancelled_batch_is_finishing_until_its_last_call_ends(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    cancelled = story.status(status.BatchCancelled, BatchStatus.CANCELLED, finished_at=AT)
    batch = await told(reads, story, story.placing(1), cancelled)
    assert (batch["status"], batch["phase"]) == ("CANCELLED", "finishing")
    assert batch["allowed_actions"] == ["retry", "rename", "delete"]
    batch = await told(reads, story, story.gate_closed())
    assert batch["phase"] == "finishing"
    batch = await told(reads, story, story.completed(1, Outcome.COMPLETED))
    assert batch["phase"] == "cancelled"
    assert numbered(batch) == {"total": 3, "completed": 1, "pending": 2}


async def test_a_paused_batch_is_pausing_until_the_dialers_have_stopped(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    paused = story.status(status.BatchPaused, BatchStatus.PAUSED)
    batch = await told(reads, story, paused)
    assert (batch["phase"], batch["allowed_actions"]) == (
        "pausing",
        ["resume", "cancel", "rename", "delete"],
    )
    assert (await told(reads, story, story.gate_closed()))["phase"] == "paused"


async def test_why_a_batch_failed_is_said_until_a_retry_mends_it(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    why = "The agent is not active."
    facts: Json = {
        "reason_code": "agent_inactive",
        "reason": why,
        "result": "failed",
        "finished_at": AT,
    }
    failed = story.status(status.BatchFailed, BatchStatus.FAILED, **facts)
    batch = await told(reads, story, failed, story.gate_closed())
    assert (batch["phase"], batch["result"]) == ("failed", "failed")
    assert batch["reason"] == why
    assert batch["reason_code"] == "agent_inactive"
    batch = await told(reads, story, story.retried(epoch=2, retry_epoch=2))
    assert (batch["reason"], batch["result"], batch["finished_at"]) == (None, None, None)


async def test_a_batch_whose_rows_are_landing_is_validating(reads: ReadSide) -> None:
    batch_id = uuid4()
    story = Story(await reads.seal(batch_id), batch_id, 3)
    scheduled = story.status(status.BatchScheduled, BatchStatus.SCHEDULED)
    assert (await told(reads, story, story.created()))["phase"] == "initializing"
    assert (await told(reads, story, scheduled))["phase"] == "validating"
    landed = await told(reads, story, story.chunk())
    assert landed["phase"] == "validating"  # all are there, and it starts in this moment


async def test_a_batch_waits_for_whoever_is_to_be_called_later_while_nobody_else_is_left(
    reads: ReadSide,
) -> None:
    story = await a_running_batch(reads, people=1)
    asked, chunk = story.more(2, not_before=FAR_OFF, zones=("Europe/Paris",))
    accepted = story.accepted(2, BatchStatus.RUNNING)
    batch = await told(reads, story, asked, accepted, chunk)
    assert batch["phase"] == "dispatching"
    assert (await told(reads, story, story.placing(1)))["phase"] == "in_progress"
    batch = await told(reads, story, story.completed(1, Outcome.COMPLETED))
    assert batch["phase"] == "waiting_for_scheduled_calls"
