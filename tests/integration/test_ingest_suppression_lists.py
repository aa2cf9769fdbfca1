"""A list of who is not to be called counts row by row, whole or not at all, however it is sent."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from contracts.directory import SuppressionAdded
from services.ingest.suppressions.lists import Teller
from services.ingest.suppressions.reading import PORTION, Portion
from tests.conftest import DatabaseFactory
from tests.counter import until
from tests.desk import Desk, codes, open_desk, settings_for
from tests.suppressing import ANN, BOB, CSV, in_an_hour, suppressed, upload


@pytest.fixture
async def desk(kafka: str, database: DatabaseFactory, topic_prefix: str) -> AsyncIterator[Desk]:
    async with open_desk(await settings_for(kafka, database, topic_prefix)) as desk:
        yield desk


async def test_a_list_is_taken_row_by_row_and_told_of(desk: Desk) -> None:
    text = (
        "Phone Number;reason;Expires-At;colour\n"
        f"{ANN};asked;{in_an_hour()};red\n"
        "12025551002;;;\n"
        f"{BOB};;;\n"
        "1.2E+10;;;\n"
        ";;;\n"
        "+12025551003;;2020-01-01T00:00:00Z;\n"
        "+12025551004;;soon;\n"
        f"+12025551005;{'long' * 200};;\n"
        "+12025551006;;;;;\n"
    )
    answer = await upload(desk, text, source="dnc-2026-11")
    assert {name: answer[name] for name in ("source", "added", "unchanged", "rejected")} == {
        "source": "dnc-2026-11",
        "added": 2,
        "unchanged": 1,
        "rejected": 6,
    }
    assert [
        (row["row"], row["line"], row["errors"][0]["field"], row["errors"][0]["code"])
        for row in answer["rejected_sample"]
    ] == [
        (4, 5, "phone_number", "phone_scientific_notation"),
        (5, 6, "phone_number", "phone_missing"),
        (6, 7, "expires_at", "expires_at_in_past"),
        (7, 8, "expires_at", "expires_at_invalid"),
        (8, 9, "reason", "reason_invalid"),
        (9, 10, "row", "too_many_cells"),
    ]
    assert "+1202555100" not in json.dumps(answer)
    assert (await desk.http.get(f"/v1/suppressions/{BOB}")).json() == {
        "phone_number": BOB,
        "source": "dnc-2026-11",
        "reason": None,
        "expires_at": None,
        "active": True,
    }


async def test_a_list_never_shortens_a_suppression_and_again_it_changes_nothing(
    desk: Desk,
) -> None:
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    await desk.http.put(f"/v1/suppressions/{ANN}", json={"reason": "for good"})
    await desk.http.put(f"/v1/suppressions/{BOB}", json={"expires_at": in_an_hour()})
    text = f"phone,expires_at\n{ANN},{later}\n{BOB},{later}\n"
    for added in (1, 0):
        answer = await upload(desk, text)
        assert (answer["added"], answer["unchanged"]) == (added, 2 - added)
    assert (await desk.http.get(f"/v1/suppressions/{ANN}")).json()["reason"] == "for good"
    bob = (await desk.http.get(f"/v1/suppressions/{BOB}")).json()
    assert (bob["source"], bob["expires_at"][:10]) == ("csv", later[:10])
    assert len(await desk.log_of(SuppressionAdded, least=3)) == 3


async def test_a_file_that_cannot_be_read_suppresses_nobody(desk: Desk) -> None:
    many = "".join(f"+1202{2000000 + n}\n" for n in range(30_000))
    files = [
        (b"", "csv_empty"),
        (b"phone\n", "csv_empty"),
        (b"number,reason\n1,2\n", "csv_no_phone_column"),
        (b"phone,Phone Number\n1,2\n", "csv_duplicate_column"),
        (f"phone\n{many}\xff\n".encode("latin-1"), "csv_bad_encoding"),
        (f'phone\n{many}"+1202'.encode(), "csv_parse_error"),
    ]
    for content, code in files:
        answer = await desk.http.post("/v1/suppressions", content=content, headers=CSV)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert not await suppressed(desk)


async def test_a_form_is_the_same_list_as_a_plain_body(desk: Desk) -> None:
    content = f"phone\n{ANN}\n".encode()
    key = {"Idempotency-Key": "november"}
    file = {"file": ("list.csv", content, "text/csv")}
    by_form = await desk.http.post(
        "/v1/suppressions", files=file, data={"source": "dnc"}, headers=key
    )
    assert by_form.json()["added"] == 1
    plain = await desk.http.post("/v1/suppressions?source=dnc", content=content, headers=CSV | key)
    assert plain.json() == by_form.json(), "the first answer, not what a second would find"
    other = await desk.http.post("/v1/suppressions", content=content, headers=CSV | key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    again = await desk.http.post("/v1/suppressions", content=content, headers=CSV)
    assert (again.json()["added"], again.json()["unchanged"]) == (0, 1)


async def test_a_key_is_not_held_by_what_was_refused(desk: Desk) -> None:
    key = CSV | {"Idempotency-Key": "november"}
    refused = await desk.http.post("/v1/suppressions", content=b"phone\n", headers=key)
    assert codes(refused) == ["csv_empty"]
    taken = await desk.http.post("/v1/suppressions", content=f"phone\n{ANN}".encode(), headers=key)
    assert taken.json()["added"] == 1


async def test_what_is_no_list_is_refused(desk: Desk) -> None:
    file = ("list.csv", b"phone\n+12025551001\n", "text/csv")
    for request, status, code in (
        ({"json": {"phone": ANN}}, 415, "media_type_unsupported"),
        ({"files": {"list": file}}, 422, "unknown_field"),
        ({"files": [("file", file), ("file", file)]}, 422, "field_invalid"),
        ({"data": {"source": "x"}, "files": {"source": (None, "y")}}, 422, "field_invalid"),
        ({"files": {"file": file}, "data": {"source": "x" * 101}}, 422, "field_invalid"),
    ):
        answer = await desk.http.post("/v1/suppressions", **request)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert not await suppressed(desk)


async def test_a_long_list_leaves_the_service_answering(desk: Desk) -> None:
    text = "phone\n" + "".join(f"+1202{2000000 + n}\n" for n in range(20_000))
    answer = await upload(desk, text)
    assert (answer["added"], answer["rejected"]) == (20_000, 0)
    listed = await suppressed(desk)
    assert len(listed.digests) == 20_000
    assert list(listed.digests) == sorted(listed.digests)
    assert "+12022019999" in listed
    assert "+12022020000" not in listed
    again = await upload(desk, text)
    assert (again["added"], again["unchanged"]) == (0, 20_000)
    await until(lambda: desk.pool.fetchval("SELECT NOT EXISTS (SELECT FROM outbox)"))


async def test_a_list_that_broke_off_is_finished_when_it_is_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "phone\n" + "".join(f"+1202{2000000 + n}\n" for n in range(PORTION + 5))
    told = Teller.told

    def breaks(self: Teller, portion: Portion, *known: Any) -> Any:
        if portion.rows < PORTION:
            raise asyncpg.DeadlockDetectedError
        return told(self, portion, *known)

    key = CSV | {"Idempotency-Key": "november"}
    with monkeypatch.context() as broken:
        broken.setattr(Teller, "told", breaks)
        answer = await desk.http.post("/v1/suppressions", content=text.encode(), headers=key)
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
    assert len((await suppressed(desk)).digests) == PORTION
    again = await desk.http.post("/v1/suppressions", content=text.encode(), headers=key)
    assert (again.json()["added"], again.json()["unchanged"]) == (5, PORTION)


async def test_a_list_that_was_cut_short_suppresses_nobody(desk: Desk) -> None:
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="l.csv"\r\n\r\n'
    part = f"{head}phone\n{ANN}\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    cut = await desk.http.post("/v1/suppressions", content=part.encode(), headers=headers)
    assert (cut.status_code, cut.json()["code"]) == (400, "body_invalid"), cut.text
    packed = CSV | {"Content-Encoding": "gzip"}
    answer = await desk.http.post("/v1/suppressions", content=b"phone", headers=packed)
    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding_unsupported")
    assert not await suppressed(desk)
    whole = f"{part}\r\n--b--\r\n".encode()
    taken = await desk.http.post("/v1/suppressions", content=whole, headers=headers)
    assert (taken.status_code, taken.json()["added"]) == (200, 1), taken.text
