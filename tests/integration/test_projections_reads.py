"""People read what the log says: through HTTP, on a real broker and database."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import batches, calls, directory, status
from contracts.batches import Addition, BatchCreated
from contracts.calendar import Window
from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import addition_id_of, call_id_of, chunk_id_of, command_id_of, recipient_id_of
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded, RecipientsRejected
from contracts.sealed import (
    ConversationSecrets,
    FieldError,
    RecipientSecrets,
    Rejection,
    Rejections,
    Seal,
)
from contracts.statuses import BatchStatus
from tests.counter import until
from tests.log_of_batches import a_log, interleaved
from tests.read_side import ReadSide, read_side

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
ALWAYS = Window(
    start="00:00", end="24:00", days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    timezone="UTC",
)  # fmt: skip


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads batches of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


def position(*parts: object) -> str:
    return urlsafe_b64encode(":".join(map(str, parts)).encode()).decode()


class Story:
    """A batch of so many people, as the services tell it."""

    def __init__(
        self, seal: Seal, batch_id: UUID, people: int, *, account: str = "default"
    ) -> None:
        self._seal = seal
        self.batch_id = batch_id
        self.account = account
        self.addition_id = addition_id_of(batch_id, 1)
        self.people = people
        self.sequence = 0

    def _common(self, at: datetime = AT) -> dict[str, Any]:
        return {"account_id": self.account, "at": at, "batch_id": self.batch_id}

    def recipient_id(self, row: int) -> UUID:
        return recipient_id_of(self.addition_id, row)

    def call_id(self, row: int) -> UUID:
        return call_id_of(self.batch_id, self.recipient_id(row), 1)

    def command(
        self, kind: type[batches.BatchCommand], number: int, **facts: Any
    ) -> batches.BatchCommand:
        command_id = command_id_of(self.batch_id, number)
        return kind(
            **self._common(), command_no=number, command_id=command_id, actor="api", **facts
        )

    def created(self, name: str = "Spring", *, rejected: int = 0) -> Event:
        return self.command(
            BatchCreated,
            1,
            name=self._seal.close(name),
            agent_id="anna",
            from_number="+33123456789",
            window=ALWAYS,
            addition=Addition(
                addition_id=self.addition_id, chunks=1, recipients=self.people, rejected=rejected
            ),
        )

    def chunk(self) -> Event:
        return RecipientsAdded(
            **self._common(),
            addition_id=self.addition_id,
            chunk_id=chunk_id_of(self.addition_id, "added", 0),
            chunk_no=0,
            chunks=1,
            recipients=tuple(
                RecipientEntry(
                    recipient_id=self.recipient_id(row),
                    row=row,
                    sealed=self._seal.close(
                        RecipientSecrets(
                            phone_number=f"+3360000{row:04}", name=f"P{row}", variables={"z": "1"}
                        )
                    ),
                )
                for row in range(1, self.people + 1)
            ),
        )

    def rejected(self) -> Event:
        error = FieldError(field="phone_number", code="phone_missing", message="Give a number.")
        rows = Rejections(rows=(Rejection(row=9, line=10, name="Nobody", errors=(error,)),))
        return RecipientsRejected(
            **self._common(),
            addition_id=self.addition_id,
            chunk_id=chunk_id_of(self.addition_id, "rejected", 0),
            chunk_no=0,
            chunks=1,
            count=1,
            sealed=self._seal.close(rows),
        )

    def status(self, kind: type[status.BatchStatusEvent], now: BatchStatus, **facts: Any) -> Event:
        self.sequence += 1
        facts = {"epoch": 1, "command_no": 1} | facts
        return kind(**self._common(), sequence=self.sequence, status=now, **facts)

    def started(self) -> Event:
        return self.status(status.BatchStarted, BatchStatus.RUNNING, started_at=AT)

    def _grant(self, row: int) -> dict[str, Any]:
        return self._common() | {
            "recipient_id": self.recipient_id(row),
            "call_id": self.call_id(row),
            "grant_no": 1,
            "attempt": 1,
            "epoch": 1,
        }

    def queued(self, row: int) -> Event:
        return RecipientQueued(
            **self._grant(row), sealed="", agent_id="anna", from_number="+33123456789", limit=9
        )

    def placing(self, row: int) -> Event:
        at = AT + timedelta(seconds=row)
        return calls.CallPlacing(
            **self._grant(row), carrier="simulator", send_before=at, requested_at=at
        )

    def completed(self, row: int, outcome: Outcome) -> Event:
        at = AT + timedelta(seconds=row)
        return calls.CallCompleted(
            **self._grant(row),
            outcome=outcome,
            cause="sip_200",
            carrier="simulator",
            requested_at=at,
            started_at=at,
            ended_at=at + timedelta(seconds=9),
            duration_seconds=9,
            cost=calls.Cost(amount=0.25),
        )

    def conversation(self, row: int) -> Event:
        grant = self._grant(row)
        said = ConversationSecrets(
            transcript=({"role": "agent", "text": "Hello"},),
            collected={"mood": "fine"},
            recording_url="https://recordings.test/1",
        )
        return ConversationRecorded(
            **{k: v for k, v in grant.items() if k not in {"attempt", "epoch"}},
            sealed=self._seal.close(said),
        )


async def a_story(reads: ReadSide, people: int = 3, account: str = "default") -> Story:
    batch_id = uuid4()
    return Story(await reads.seal(batch_id), batch_id, people, account=account)


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


async def landed(reads: ReadSide, story: Story) -> bool:
    listed = await reads.get(f"/v1/batches/{story.batch_id}/recipients")
    return len(listed["data"]) == story.people


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


async def test_batches_are_listed_newest_first_and_found_by_a_part_of_their_name(
    reads: ReadSide,
) -> None:
    names = ["Thaw", "Frost", "Late frost"]
    for day, name in enumerate(names):
        story = await a_story(reads)
        created = story.created(name).model_copy(update={"at": AT + timedelta(days=day)})
        await reads.log([created])
        await reads.get(
            f"/v1/batches/{story.batch_id}", position("batch", story.batch_id, "command", 1)
        )
    listed = [batch["name"] for batch in await reads.pages("/v1/batches", limit=1)]
    assert [name for name in listed if name in names] == ["Late frost", "Frost", "Thaw"]
    found = await reads.pages("/v1/batches", search="FROST", status="SCHEDULED")
    assert [batch["name"] for batch in found] == ["Late frost", "Frost"]
    assert await reads.pages("/v1/batches", search="FROST", status="FAILED") == []


async def test_nothing_of_another_account_is_seen(reads: ReadSide) -> None:
    story = await a_story(reads, account="another")
    await reads.log([story.created(), story.chunk(), story.queued(1), story.placing(1)])
    at = position("batch", story.batch_id, "command", 1)
    for path in (
        f"/v1/batches/{story.batch_id}",
        f"/v1/batches/{story.batch_id}/recipients",
        f"/v1/batches/{story.batch_id}/recipients/{story.recipient_id(1)}",
        f"/v1/batches/{story.batch_id}/calls",
        f"/v1/batches/{story.batch_id}/rejections",
        f"/v1/calls/{story.call_id(1)}",
    ):
        answer = await reads.http.get(path, headers={"Rollcall-Min-Position": at})
        assert answer.status_code == 404, path
    listed = [batch["batch_id"] for batch in await reads.pages("/v1/batches")]
    assert str(story.batch_id) not in listed


async def test_rejected_rows_are_listed_with_what_is_wrong(reads: ReadSide) -> None:
    story = await a_story(reads)
    await reads.log([story.rejected()])
    await reads.log([story.created(rejected=1)])
    path = f"/v1/batches/{story.batch_id}/rejections"
    listed = await reads.get(path, position("batch", story.batch_id, "command", 1))
    while not listed["data"]:
        listed = await reads.get(path)
    (row,) = listed["data"]
    assert (row["row"], row["line"], row["name"]) == (9, 10, "Nobody")
    assert row["errors"][0]["code"] == "phone_missing"


async def test_the_directory_is_read_as_it_was_last_set(reads: ReadSide) -> None:
    common = {"account_id": "default", "at": AT, "actor": "api"}
    await reads.log(
        [
            directory.AccountConfigured(**common, version=1, concurrency=10),
            directory.AccountConfigured(**common, version=2, concurrency=20),
            directory.AgentRegistered(
                **common, version=1, agent_id="anna", name="Anna", active=True
            ),
            directory.PhoneNumberRegistered(
                **common, version=1, phone_number="+33123456789", outbound=True
            ),
        ]
    )
    account = await reads.get("/v1/account", position("directory", "account", "default", 2))
    assert account["concurrency"] == 20
    agents = await reads.get("/v1/agents", position("directory", "agent", "anna", 1))
    assert [agent["name"] for agent in agents["data"]] == ["Anna"]
    at = position("directory", "number", "+33123456789", 1)
    numbers = await reads.get("/v1/phone-numbers", at)
    assert numbers["data"] == [{"phone_number": "+33123456789", "outbound": True, "active": True}]


async def test_a_position_that_the_log_does_not_reach_is_said_not_to_be_visible_yet(
    reads: ReadSide,
) -> None:
    headers = {"Rollcall-Min-Position": position("batch", uuid4(), "command", 1)}
    answer = await reads.http.get("/v1/batches", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_yet_visible")
    assert answer.headers["Retry-After"] == "1"


async def test_a_parameter_that_is_not_understood_is_refused(reads: ReadSide) -> None:
    for parameters, code in (
        ({"status": "running"}, "filter_invalid"),
        ({"colour": "red"}, "unknown_field"),
        ({"limit": 0}, "field_invalid"),
        ({"limit": 501}, "field_invalid"),
        ({"limit": "many"}, "field_invalid"),
        ({"cursor": "x"}, "cursor_invalid"),
        ({"cursor": position('["2026-05-04"]')}, "cursor_invalid"),
        ({"search": "a\x00b"}, "field_invalid"),
    ):
        assert await reads.refusal("/v1/batches", **parameters) == (422, code), parameters


async def test_what_is_asked_of_one_batch_is_just_as_strict(reads: ReadSide) -> None:
    path = f"/v1/batches/{uuid4()}"
    assert await reads.refusal(path, colour="red") == (422, "unknown_field")
    assert await reads.refusal("/v1/batches/7") == (422, "field_invalid")
    assert await reads.refusal(f"{path}/recipients", outcome="nice") == (422, "filter_invalid")
    assert await reads.refusal(f"{path}/recipients", sort="colour") == (422, "filter_invalid")
    assert await reads.refusal(path) == (404, "not_found")
    answer = await reads.http.get(path, headers={"Rollcall-Min-Position": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid")


async def test_the_read_model_rebuilt_from_the_log_is_equal(kafka: str, postgres: str) -> None:
    async with read_side(kafka, postgres) as reads:
        story = await a_story(reads)
        calls_of_all = [
            event
            for row in (1, 2, 3)
            for event in (story.placing(row), story.completed(row, Outcome.BUSY))
        ]
        await reads.log([story.created(rejected=1), story.chunk(), story.rejected()])
        await reads.log([*calls_of_all, story.conversation(2), *calls_of_all])
        for poll in interleaved(Random(5), a_log(Random(4))):
            await reads.log(poll)
        await reads.caught_up()
        report = await reads.rebuilt()
        assert report.records == reads.logged
        assert {table.name for table in report.tables if table.rows} >= {"recipients", "calls"}
        assert report.equal, report
        await until_counted(reads, story, no_answer=3)


async def until_counted(reads: ReadSide, story: Story, **counts: int) -> dict[str, Any]:
    """The batch once so many stand so; the test's own limit bounds the wait."""
    while True:
        batch = await reads.get(f"/v1/batches/{story.batch_id}",
                                position("batch", story.batch_id, "command", 1))  # fmt: skip
        if counts.items() <= batch["recipients"].items():
            return batch


async def rows(reads: ReadSide, path: str, **parameters: Any) -> list[int]:
    return [recipient["row"] for recipient in await reads.pages(path, **parameters)]
