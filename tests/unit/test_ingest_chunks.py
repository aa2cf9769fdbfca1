"""Chunks are bounded, numbered on their rows, and the same whenever they are cut again."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import recipient_id_of
from contracts.recipients import CHUNK_BYTES, ROW_BYTES
from services.ingest.domain.chunks import (
    MAX_ENTRIES,
    Cutter,
    Stream,
    added,
    advanced,
    entry_size,
    import_failed,
    rejected,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STREAM = Stream("default", UUID(int=1), UUID(int=2), UUID(int=3), chunks=2, rejection_chunks=1)


def row(number: int, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "row": number,
        "sealed": "s" * 100,
        "zones": [],
        "not_before": None,
        "from_number": None,
        "same_number_row": None,
    }
    return given | changes


@given(st.lists(st.integers(1, ROW_BYTES), max_size=300))
def test_chunks_follow_each_other_and_none_is_too_large(sizes: list[int]) -> None:
    cutter = Cutter()
    numbers = [cutter.place(size) for size in sizes]
    total = Counter[int]()
    for number, size in zip(numbers, sizes, strict=True):
        total[number] += size
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(cutter.chunks))
    assert all(size < CHUNK_BYTES for size in total.values())


def test_a_chunk_of_tiny_rows_has_a_bounded_count() -> None:
    cutter = Cutter()
    numbers = [cutter.place(1) for _ in range(MAX_ENTRIES + 1)]
    assert Counter(numbers) == {0: MAX_ENTRIES, 1: 1}


SETTINGS: dict[str, Any] = {
    "not_before": datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC),
    "from_number": "+123456789012345",
    "same_number_row": 999_999_999,
}


@given(
    st.text("abcdefgh+/=", min_size=1, max_size=400),
    st.lists(st.sampled_from(["Europe/Paris", "America/New_York"]), max_size=40),
    st.sampled_from([{}, SETTINGS]),
)
def test_an_entry_is_never_larger_than_it_was_taken_for(
    sealed: str, zones: list[str], settings: dict[str, Any]
) -> None:
    read = row(1_000_000_000, sealed=sealed, zones=zones, **settings)
    written = added(STREAM, 0, [read], at=NOW).recipients[0].model_dump_json().encode()
    assert len(written) + 1 <= entry_size(sealed, zones)


def test_a_chunk_sent_again_is_the_same_chunk() -> None:
    first = added(STREAM, 1, [row(7), row(8, same_number_row=7)], at=NOW)
    again = added(STREAM, 1, [row(7), row(8, same_number_row=7)], at=NOW)
    assert first == again
    assert first.chunk_id != added(STREAM, 0, [row(7)], at=NOW).chunk_id
    assert first.recipients[1].same_number_as == recipient_id_of(STREAM.addition_id, 7)


def test_a_stream_is_done_when_the_log_has_all_of_it() -> None:
    told = rejected(STREAM, {"chunk_no": 0, "count": 3, "sealed": "s"}, at=NOW)
    chunks = [added(STREAM, number, [row(number + 1)], at=NOW) for number in (0, 1)]
    assert told.chunk_id not in {chunk.chunk_id for chunk in chunks}
    half = advanced(STREAM, chunks)
    assert not half.done
    assert advanced(half, [told]).done


def test_a_lost_list_fails_its_batch_under_the_next_number() -> None:
    failed = import_failed(STREAM, 4, at=NOW)
    assert (failed.command_no, failed.addition_id) == (4, STREAM.addition_id)
    assert failed.reason == "rows_lost"
