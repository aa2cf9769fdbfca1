"""Chunks are bounded, and what was staged stands in the log as it would have been encoded there."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.codec import decode, encode
from contracts.ids import chunk_id_of, recipient_id_of
from contracts.recipients import CHUNK_BYTES, RecipientEntry, RecipientsAdded
from contracts.sealed import FieldError, RecipientSecrets, Rejection, Rejections, Seal, new_key
from services.ingest.domain.chunks import Stream, added, advanced, import_failed, rejected
from services.ingest.uploading.staging import Accepted, Sealing, Stager
from services.ingest.uploading.uploads import Tally

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STREAM = Stream("default", UUID(int=1), UUID(int=2), UUID(int=3), chunks=2, rejection_chunks=1)


def person(row: int, variable: str = "", **settings: Any) -> Accepted:
    secrets = RecipientSecrets(phone_number=f"+1202555{row % 10_000:04}", variables={"v": variable})
    written = secrets.model_dump_json()
    return Accepted(row, None, secrets.phone_number, None, written, **settings)


def staged(people: Iterable[Accepted]) -> list[dict[str, Any]]:
    """The chunks as the database gives them back."""
    stager = Stager(Sealing(STREAM.addition_id, new_key(), "batch"))
    tally = Tally(STREAM.upload_id)
    return [
        {"chunk_no": number, "entries": entries, "rows": read_rows(rows), "same_numbers": None}
        for portion in stager.portions(people)
        for number, entries, rows, _ in tally.records(portion)[0]
    ]


def read_rows(written: str) -> list[int]:
    return [int(row) for row in written.strip("{}").split(",")]


def read(chunk: dict[str, Any]) -> RecipientsAdded:
    record = added(STREAM, chunk, at=NOW)
    event = decode(record.value, record.headers)
    assert isinstance(event, RecipientsAdded)
    return event


@given(st.lists(st.integers(0, 190_000), max_size=12))
def test_chunks_follow_each_other_and_none_is_too_large(sizes: list[int]) -> None:
    chunks = staged(person(row, "v" * size) for row, size in enumerate(sizes, 1))
    assert [chunk["chunk_no"] for chunk in chunks] == list(range(len(chunks)))
    assert [row for chunk in chunks for row in chunk["rows"]] == list(range(1, len(sizes) + 1))
    for chunk in chunks:
        again = {str(row): 1_000_000_000 for row in chunk["rows"]}
        for same_numbers in (None, again):
            record = added(STREAM, chunk | {"same_numbers": same_numbers}, at=NOW)
            assert len(record.value) <= CHUNK_BYTES


def test_a_chunk_has_a_bounded_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.domain.chunks.MAX_ENTRIES", 10)
    chunks = staged(person(row) for row in range(1, 22))
    assert [len(chunk["rows"]) for chunk in chunks] == [10, 10, 1]


def test_the_error_log_shows_a_nul_as_what_can_be_stored() -> None:
    key = new_key()
    seal, stager = Seal(key, "batch"), Stager(Sealing(STREAM.addition_id, key, "batch"))
    errors = (FieldError(field="name", code="name_invalid", message="Take it out."),)
    wrong = Rejection(row=1, phone_number="12\0", name="A\0nn", errors=errors)
    [portion] = stager.portions([wrong])
    [(*_, sealed)] = portion.rejections
    told = seal.open(str(sealed), Rejections)
    assert told is not None
    assert (told.rows[0].phone_number, told.rows[0].name) == ("12\ufffd", "A\ufffdnn")


SETTINGS: dict[str, Any] = {
    "not_before": datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC),
    "from_number": "+123456789012345",
}


@given(
    st.lists(st.sampled_from(["Europe/Paris", "America/New_York"]), max_size=40),
    st.sampled_from([{}, SETTINGS]),
    st.dictionaries(st.sampled_from(["2", "3"]), st.just(1)),
)
def test_a_staged_chunk_is_the_record_that_its_event_would_be(
    zones: list[str], settings: dict[str, Any], same_numbers: dict[str, int]
) -> None:
    people = [person(row, zones=tuple(zones), **settings) for row in (1, 2, 3)]
    [chunk] = staged(people)
    chunk["same_numbers"] = same_numbers or None
    event = read(chunk)
    assert added(STREAM, chunk, at=NOW) == encode(event, source="ingest")
    assert event == RecipientsAdded(
        account_id=STREAM.account_id,
        at=NOW,
        batch_id=STREAM.batch_id,
        addition_id=STREAM.addition_id,
        chunk_id=chunk_id_of(STREAM.addition_id, "added", 0),
        chunk_no=0,
        chunks=STREAM.chunks,
        recipients=tuple(
            RecipientEntry(
                recipient_id=recipient_id_of(STREAM.addition_id, it.row),
                row=it.row,
                sealed=entry.sealed,
                zones=it.zones,
                not_before=it.not_before,
                from_number=it.from_number,
                same_number_as=recipient_id_of(STREAM.addition_id, 1)
                if str(it.row) in same_numbers
                else None,
            )
            for it, entry in zip(people, event.recipients, strict=True)
        ),
    )


def test_a_stream_is_done_when_the_log_has_all_of_it() -> None:
    assert not advanced(STREAM, 1).done
    recipients = advanced(STREAM, 2)
    assert (recipients.next_chunk, recipients.next_rejection_chunk) == (2, 0)
    assert not recipients.done
    assert advanced(recipients, 1).done


def test_the_error_log_has_chunks_of_its_own() -> None:
    told = rejected(STREAM, {"chunk_no": 0, "count": 3, "sealed": "s"}, at=NOW)
    [chunk] = staged([person(1)])
    assert told.key != added(STREAM, chunk, at=NOW).key


def test_a_lost_list_fails_its_batch_under_the_next_number() -> None:
    failed = import_failed(STREAM, 4, at=NOW)
    assert (failed.command_no, failed.addition_id) == (4, STREAM.addition_id)
    assert failed.reason == "rows_lost"
