"""People read what the log says: through HTTP, on a real broker and database."""

from collections.abc import AsyncIterator

import pytest

from contracts import batches, status
from contracts.outcomes import Outcome
from contracts.statuses import BatchStatus
from tests.batch_story import Story, a_story, landed, position, rows, until_counted
from tests.counter import until
from tests.read_side import ReadSide, read_side


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads batches of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


async def test_a_batch_is_seen_as_it_was_created_as_soon_as_its_command_is_waited_for(
    reads: ReadSide,
) -> None:
    story = await a_story(reads)
    await reads.log([story.created()])
    batch = await reads.get(
        f"/v1/batches/{story.batch_id}", position("batch", story.batch_id, "command", 1)
    )
    assert batch["name"] == "Spring"
    assert batch["status"] == "SCHEDULED"
    assert batch["phase"] == "initializing"
    assert batch["recipients"]["total"] == batch["recipients"]["pending"] == 3
    assert batch["allowed_actions"] == ["cancel", "rename", "delete"]


async def test_recipients_are_found_by_what_became_of_them(reads: ReadSide) -> None:
    story = await a_story(reads, people=5)
    await reads.log(
        [
            story.created(rejected=1),
            story.chunk(),
            story.rejected(),
            story.queued(1),
            *[event for row in (2, 3, 4) for event in (story.queued(row), story.placing(row))],
            story.completed(2, Outcome.COMPLETED),
            story.completed(3, Outcome.NO_ANSWER),
            story.conversation(2),
        ]
    )
    batch = await until_counted(reads, story, no_answer=1, queued=1, in_progress=1, completed=1)
    await until(lambda: landed(reads, story))
    assert batch["recipients"]["pending"] == 1
    assert batch["recipients"]["rejected"] == 1
    assert batch["outcomes"]["completed"] == batch["outcomes"]["no_answer"] == 1
    assert (batch["remaining"], batch["percent"]) == (3, 40.0)
    path = f"/v1/batches/{story.batch_id}/recipients"
    assert await rows(reads, path, limit=2) == [1, 2, 3, 4, 5]
    assert await rows(reads, path, limit=2, sort="-row") == [5, 4, 3, 2, 1]
    assert await rows(reads, path, status="PENDING") == [5]
    assert await rows(reads, path, status="IN_PROGRESS") == [4]
    assert await rows(reads, path, outcome="no_answer") == [3]
    assert await rows(reads, path, status="COMPLETED", outcome="no_answer") == []


async def test_recipients_are_searched_and_sorted_by_what_people_see(reads: ReadSide) -> None:
    story = await a_story(reads, people=11)
    ended = [story.completed(2, Outcome.NO_ANSWER), story.completed(3, Outcome.COMPLETED)]
    await reads.log([story.created(), story.chunk(), *ended])
    await until_counted(reads, story, no_answer=1, completed=1)
    path = f"/v1/batches/{story.batch_id}/recipients"
    by_name = [1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9]
    assert await rows(reads, path, sort="name", limit=2) == by_name
    assert await rows(reads, path, sort="-name", limit=2) == by_name[::-1]
    assert await rows(reads, path, sort="-phone_number", limit=4) == list(range(11, 0, -1))
    assert (await rows(reads, path, sort="status", limit=3))[:2] == [3, 2]
    assert (await rows(reads, path, sort="-outcome", limit=3))[:2] == [2, 3]
    assert set((await rows(reads, path, sort="-attempts", limit=3))[:2]) == {2, 3}
    assert await rows(reads, path, search="p1", limit=2) == [1, 10, 11]
    assert await rows(reads, path, search="0000011", sort="-row") == [11]
    assert await rows(reads, path, search="p1", status="COMPLETED") == []


async def test_somebody_not_called_is_told_why(reads: ReadSide) -> None:
    story = await a_story(reads, people=3)
    path = f"/v1/batches/{story.batch_id}/recipients"

    async def why(row: int) -> str:
        answer = await reads.get(f"{path}/{story.recipient_id(row)}/why")
        (reason,) = answer["reasons"]
        return str(reason["code"])

    await reads.log([story.created(), story.chunk()])
    await reads.get(path, position("batch", story.batch_id, "command", 1))
    await until(lambda: landed(reads, story))
    assert await why(1) == "not_started"
    await reads.log([story.started(), story.queued(2), story.completed(3, Outcome.VOICEMAIL)])
    await until_counted(reads, story, queued=1, completed=1)
    at = position("batch", story.batch_id, "sequence", 1)
    await reads.get(path, at)
    assert [await why(row) for row in (1, 2, 3)] == ["no_free_slot", "placing", "called"]
    await reads.log([story.status(status.BatchPaused, BatchStatus.PAUSED)])
    await reads.get(path, position("batch", story.batch_id, "sequence", 2))
    assert await why(1) == "batch_paused"


async def test_a_recipient_and_its_call_are_shown_with_what_was_said(reads: ReadSide) -> None:
    story = await a_story(reads)
    await reads.log(
        [story.created(), story.chunk(), story.queued(1), story.placing(1), story.conversation(1)]
    )
    await reads.log([story.completed(1, Outcome.VOICEMAIL)])
    await until_counted(reads, story, completed=1)
    recipient = await reads.get(f"/v1/batches/{story.batch_id}/recipients/{story.recipient_id(1)}")
    assert recipient["phone_number"] == "+33600000001"
    assert recipient["variables"] == {"z": "1"}
    assert (recipient["status"], recipient["outcome"]) == ("COMPLETED", "voicemail")
    assert (recipient["attempts"], recipient["call_id"]) == (1, str(story.call_id(1)))
    call = await reads.get(f"/v1/calls/{story.call_id(1)}")
    assert call == (await reads.get(f"/v1/batches/{story.batch_id}/calls"))["data"][0]
    assert (call["status"], call["cause"], call["duration_seconds"]) == ("COMPLETED", "sip_200", 9)
    assert call["cost"] == {"amount": 0.25, "currency": "USD"}
    await until_said(reads, story)


async def until_said(reads: ReadSide, story: Story) -> None:
    call = await reads.get(f"/v1/calls/{story.call_id(1)}")
    while call["transcript"] is None:
        call = await reads.get(f"/v1/calls/{story.call_id(1)}")
    assert call["transcript"] == [{"role": "agent", "text": "Hello"}]
    assert call["recording_url"] == "https://recordings.test/1"


async def test_a_batch_is_not_shown_completed_while_people_remain(reads: ReadSide) -> None:
    story = await a_story(reads, people=1)
    completed = story.status(status.BatchCompleted, BatchStatus.COMPLETED)
    await reads.log([story.created(), story.chunk(), completed])
    seen = await reads.get(
        f"/v1/batches/{story.batch_id}", position("batch", story.batch_id, "sequence", 1)
    )
    assert (seen["status"], seen["phase"], seen["result"]) == ("RUNNING", "finishing", None)
    await reads.log([story.completed(1, Outcome.COMPLETED)])
    seen = await until_counted(reads, story, completed=1)
    assert (seen["status"], seen["phase"], seen["result"]) == (
        "COMPLETED",
        "completed",
        "completed",
    )


async def test_what_was_pending_when_a_batch_ran_out_of_time_is_failed_as_expired(
    reads: ReadSide,
) -> None:
    story = await a_story(reads, people=2)
    started = story.started()
    ended = story.status(status.BatchCompleted, BatchStatus.COMPLETED, expired=True)
    await reads.log([story.created(), story.chunk(), started, ended])
    batch = await until_counted(reads, story, failed=2)
    assert (batch["status"], batch["result"]) == ("COMPLETED", "failed")
    assert "retry" in batch["allowed_actions"]
    path = f"/v1/batches/{story.batch_id}/recipients"
    assert await rows(reads, path, outcome="expired") == [1, 2]
    await reads.log([story.status(status.BatchRetried, BatchStatus.RUNNING, epoch=2)])
    await until_counted(reads, story, pending=2)


async def test_a_deleted_batch_is_gone(reads: ReadSide) -> None:
    story = await a_story(reads)
    await reads.log([story.created(), story.chunk(), story.command(batches.BatchDeleted, 2)])
    answer = await reads.http.get(
        f"/v1/batches/{story.batch_id}",
        headers={"Rollcall-Min-Position": position("batch", story.batch_id, "command", 2)},
    )
    assert answer.status_code == 404
