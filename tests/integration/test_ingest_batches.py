"""A batch is taken whole, answered at once, and told to the log with everyone on its list."""

import json
from collections.abc import AsyncIterator

import pytest

from contracts.batches import BatchCreated
from contracts.ids import addition_id_of, recipient_id_of
from contracts.recipients import RecipientsAdded, RecipientsRejected
from contracts.sealed import RecipientSecrets, Rejections
from tests.conftest import DatabaseFactory
from tests.desk import (
    CALLER,
    Desk,
    Json,
    a_batch,
    codes,
    csv_of,
    open_desk,
    recipients,
    settings_for,
)


@pytest.fixture
async def desk(kafka: str, database: DatabaseFactory, topic_prefix: str) -> AsyncIterator[Desk]:
    async with open_desk(await settings_for(kafka, database, topic_prefix)) as desk:
        await desk.with_directory()
        yield desk


async def test_a_batch_is_taken_and_everyone_on_it_told_to_the_log(desk: Desk) -> None:
    answer = await desk.post(a_batch(recipients=recipients(3)))
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert (batch["status"], batch["recipients"]["total"]) == ("SCHEDULED", 3)
    assert answer.headers["Location"] == f"/v1/batches/{batch['batch_id']}"
    assert answer.headers["Rollcall-Position"]

    [created] = await desk.log_of(BatchCreated)
    [chunk] = await desk.log_of(RecipientsAdded)
    assert (created.command_no, created.from_number) == (1, CALLER)
    assert (created.addition.recipients, created.addition.chunks) == (3, 1)
    seal = await desk.service.ground.seals.of(f"batch:{created.batch_id}")
    assert seal is not None
    assert seal.text(created.name) == "Reminders"
    people = [seal.open(entry.sealed, RecipientSecrets) for entry in chunk.recipients]
    assert [person and person.phone_number for person in people] == [
        r["phone_number"] for r in recipients(3)
    ]


async def test_a_batch_that_is_not_to_start_waits_as_pending(desk: Desk) -> None:
    answer = await desk.post(a_batch(recipients=recipients(1), start=False))
    assert answer.json()["status"] == "PENDING"
    [created] = await desk.log_of(BatchCreated)
    assert created.start is False


async def test_rows_that_cannot_be_called_are_reported_and_the_others_are_called(
    desk: Desk,
) -> None:
    people = [{"phone_number": "12"}, *recipients(2), {"phone": "abc", "name": "Ann"}]
    answer = await desk.post(a_batch(recipients=people))
    assert (
        answer.json()["recipients"] | {"pending": 2, "rejected": 2} == answer.json()["recipients"]
    )

    [told] = await desk.log_of(RecipientsRejected)
    seal = await desk.service.ground.seals.of(f"batch:{told.batch_id}")
    assert seal is not None
    rejections = seal.open(told.sealed, Rejections)
    assert rejections is not None
    assert [(row.row, row.errors[0].code) for row in rejections.rows] == [
        (1, "phone_too_short"),
        (4, "phone_not_digits"),
    ]
    [chunk] = await desk.log_of(RecipientsAdded)
    assert [entry.row for entry in chunk.recipients] == [2, 3]


async def test_a_list_that_must_be_right_is_refused_with_its_wrong_rows(desk: Desk) -> None:
    people = [*recipients(2), {"phone_number": "12"}]
    answer = await desk.post(a_batch(recipients=people, on_invalid="reject"))
    assert (answer.status_code, answer.json()["code"]) == (422, "rows_rejected")
    [error] = answer.json()["errors"]
    assert (error["row"], error["code"]) == (3, "phone_too_short")
    assert await desk.log_of(BatchCreated, least=0) == []


async def test_the_same_number_twice_is_marked_on_the_later_row(desk: Desk) -> None:
    people = [*recipients(2), *recipients(1), *recipients(1)]
    batch = (await desk.post(a_batch(recipients=people))).json()
    [chunk] = await desk.log_of(RecipientsAdded)
    addition_id = addition_id_of(chunk.batch_id, 1)
    ids = [recipient_id_of(addition_id, row) for row in range(1, 5)]
    assert batch["recipients"]["total"] == 4
    assert [entry.recipient_id for entry in chunk.recipients] == ids
    assert [entry.same_number_as for entry in chunk.recipients] == [None, None, ids[0], ids[2]]


async def test_a_file_beside_the_batch_is_read_row_by_row(desk: Desk) -> None:
    answer = await desk.send(a_batch(), csv_of(12_000))
    assert answer.status_code == 202, answer.text
    assert answer.json()["recipients"]["total"] == 12_000
    [created] = await desk.log_of(BatchCreated)
    chunks = await desk.log_of(RecipientsAdded, least=created.addition.chunks)
    assert created.addition.chunks > 1
    assert sorted(chunk.chunk_no for chunk in chunks) == list(range(created.addition.chunks))
    rows = [entry.row for chunk in chunks for entry in chunk.recipients]
    assert sorted(rows) == list(range(1, 12_001))
    assert max(len(chunk.model_dump_json()) for chunk in chunks) <= 512 * 1024


async def test_nothing_of_a_list_is_kept_once_the_log_has_it(desk: Desk) -> None:
    await desk.send(a_batch(), csv_of(3_000) + b"\n12,Wrong,1")
    await desk.log_of(RecipientsRejected)
    await desk.swept()


async def test_a_recipient_is_called_in_their_own_zone_where_the_window_says_so(desk: Desk) -> None:
    window = a_batch()["window"] | {"timezone": "recipient"}
    people = [
        {"phone_number": "+33612345678"},
        {"phone_number": "+12025550123", "timezone": "America/Denver"},
    ]
    await desk.post(a_batch(recipients=people, window=window))
    [chunk] = await desk.log_of(RecipientsAdded)
    assert [entry.zones for entry in chunk.recipients] == [("Europe/Paris",), ("America/Denver",)]


REFUSALS: list[tuple[Json, str]] = [
    ({"name": ""}, "name_length"),
    ({"name": "x" * 101}, "name_length"),
    ({"name": "A\0nn"}, "field_invalid"),
    ({"agent_id": "nobody"}, "agent_not_found"),
    ({"agent_id": "no\0body"}, "agent_not_found"),
    ({"agent_id": "asleep"}, "agent_inactive"),
    ({"from_number": ""}, "from_number_not_found"),
    ({"from_number": "+442079460001"}, "from_number_not_found"),
    ({"from_number": "+442079460002"}, "from_number_not_outbound"),
    ({"window": None}, "window_required"),
    ({"window": a_batch()["window"] | {"start": "25:00"}}, "window_invalid"),
    ({"window": a_batch()["window"] | {"timezone": "Mars/Base"}}, "timezone_unknown"),
    ({"scheduled_at": "2001-01-01T00:00:00Z"}, "scheduled_at_in_past"),
    ({"scheduled_at": "2201-01-01T00:00:00Z"}, "scheduled_at_too_far"),
    ({"scheduled_at": "2201-01-01T00:00:00"}, "instant_without_zone"),
    ({"scheduled_at": 1700000000}, "field_invalid"),
    ({"expires_at": "9999-12-31T23:59:59-12:00"}, "field_invalid"),
    ({"recipients": []}, "no_valid_recipients"),
    ({"recipients": [{"phone_number": "+12025550123", "colour": "red"}]}, "unknown_field"),
    ({"recipients": [{"phone_number": 12025550123}]}, "field_invalid"),
    ({"recipients": "all"}, "field_invalid"),
    ({"recipient_list_id": "6f0a9c1e-3b57-5d0e-8a5c-7f1f6e2d9b40"}, "list_not_found"),
    ({"colour": "red"}, "unknown_field"),
    ({"start": "yes"}, "field_invalid"),
    ({"reserved_concurrency": 10}, "field_invalid"),
    ({"retry_policy": {"on": ["unknown"]}}, "field_invalid"),
    ({"retry_policy": {"tries": 3}}, "unknown_field"),
    ({"retry_policy": {"delay_seconds": [60] * 400_000}}, "field_invalid"),
]


async def test_a_batch_that_cannot_run_is_refused_by_name(desk: Desk) -> None:
    await desk.http.put("/v1/agents/asleep", json={"name": "Asleep", "active": False})
    await desk.http.put("/v1/phone-numbers/+442079460002", json={"outbound": False})
    for changes, code in REFUSALS:
        answer = await desk.post(a_batch(recipients=recipients(1)) | changes)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert code in codes(answer) or changes == {"recipients": []}
    assert await desk.log_of(BatchCreated, least=0) == []


async def test_a_recipient_whom_no_database_could_keep_is_an_error_of_their_row(desk: Desk) -> None:
    wrong = [
        {"phone_number": "+12025550123"} | it
        for it in ({"name": "A\0"}, {"variables": {"a": "\0"}})
    ]
    answer = await desk.post(a_batch(recipients=wrong))
    assert codes(answer) == ["name_invalid", "variable_invalid"]
    assert [error["row"] for error in answer.json()["errors"]] == [1, 2]


async def test_a_number_too_large_for_json_is_refused_in_its_recipient(desk: Desk) -> None:
    body = json.dumps(a_batch(recipients=[{"phone_number": "+12025550123", "variables": {"a": 1}}]))
    answer = await desk.http.post("/v1/batches", content=body.replace('"a": 1', '"a": 1e999'))
    [error] = answer.json()["errors"]
    assert (error["code"], error["field"]) == ("field_invalid", "recipients.0.variables")


async def test_what_is_not_json_is_a_bad_request(desk: Desk) -> None:
    for body in (b"{", b"", b'{"name": NaN}', b'"\xff"'):
        answer = await desk.http.post("/v1/batches", content=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid")


async def test_a_file_that_cannot_be_read_leaves_nothing_behind(desk: Desk) -> None:
    wrong = {
        b"": "csv_empty",
        b"phone_number,name\n": "csv_empty",
        b"first,last\nAnn,Lee": "csv_no_phone_column",
        csv_of(6_000) + b'\n"broken': "csv_parse_error",
        csv_of(6_000) + b"\n+12025550123,\xff,1": "csv_bad_encoding",
    }
    for file, code in wrong.items():
        answer = await desk.send(a_batch(), file)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    await desk.swept()
    assert await desk.log_of(BatchCreated, least=0) == []


async def test_an_upload_of_more_than_fifty_megabytes_is_too_large(desk: Desk) -> None:
    for size in (50 * 1024 * 1024 + 1, 60 * 1024 * 1024):
        answer = await desk.send(a_batch(), b"phone_number\n".ljust(size, b"\n"))
        assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")


async def test_a_form_says_what_is_missing_or_unknown(desk: Desk) -> None:
    file = ("list.csv", csv_of(1), "text/csv")
    answer = await desk.http.post("/v1/batches", files={"file": file})
    assert (answer.status_code, codes(answer)) == (422, ["field_required"])
    batch = (None, json.dumps(a_batch()))
    answer = await desk.http.post("/v1/batches", files={"batch": batch, "lists": file})
    assert (answer.status_code, codes(answer)) == (422, ["unknown_field"])
    both = (None, json.dumps(a_batch(recipients=recipients(1))))
    answer = await desk.http.post("/v1/batches", files={"batch": both, "file": file})
    assert (answer.status_code, codes(answer)) == (422, ["field_invalid"])
