"""What is asked for is found, page by page; what is asked wrongly, or of others, is refused."""

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest

from contracts import directory
from contracts.outcomes import Outcome
from tests.batch_story import AT, a_story, position, until_counted
from tests.log_of_batches import a_log, interleaved
from tests.read_side import ReadSide, read_side


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads batches of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


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


async def test_a_batchs_rows_are_waited_for_until_all_of_them_are_there(reads: ReadSide) -> None:
    story = await a_story(reads)
    path, at = f"/v1/batches/{story.batch_id}", position("batch", story.batch_id, "command", 1)
    headers = {"Rollcall-Min-Position": at}
    await reads.log([story.created(rejected=1)])
    await reads.get(path, at)
    for rows, event in (("recipients", story.chunk()), ("rejections", story.rejected())):
        early = await reads.http.get(f"{path}/{rows}", headers=headers)
        assert (early.status_code, early.json()["code"]) == (503, "not_yet_visible")
        await reads.log([event])
        assert (await reads.get(f"{path}/{rows}", at))["data"]


async def test_a_parameter_that_is_not_understood_is_refused(reads: ReadSide) -> None:
    for parameters, code in (
        ({"status": "running"}, "filter_invalid"),
        ({"colour": "red"}, "unknown_field"),
        ({"limit": 0}, "field_invalid"),
        ({"limit": 501}, "field_invalid"),
        ({"limit": "many"}, "field_invalid"),
        ({"cursor": "x"}, "cursor_invalid"),
        ({"cursor": position('["2026-05-04"]')}, "cursor_invalid"),
        ({"cursor": position(f'["0001-01-01T00:00:00+14:00", "{uuid4()}"]')}, "cursor_invalid"),
        ({"limit": ["1", "2"]}, "field_invalid"),
        ({"cursor": position(f'[2, "{uuid4()}"]')}, "cursor_invalid"),  # a cursor of recipients
        ({"search": "a\x00b"}, "field_invalid"),
    ):
        assert await reads.refusal("/v1/batches", **parameters) == (422, code), parameters


async def test_what_is_asked_of_one_batch_is_just_as_strict(reads: ReadSide) -> None:
    path = f"/v1/batches/{uuid4()}"
    assert await reads.refusal(path, colour="red") == (422, "unknown_field")
    assert await reads.refusal("/v1/batches/7") == (422, "field_invalid")
    assert await reads.refusal(f"{path}/recipients", outcome="nice") == (422, "filter_invalid")
    assert await reads.refusal(f"{path}/recipients", sort="colour") == (422, "filter_invalid")
    assert await reads.refusal(path) == (404, "batch_not_found")
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
