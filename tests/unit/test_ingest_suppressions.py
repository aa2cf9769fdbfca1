"""What a suppression list changes, and which number each of its rows means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sealed import digest_of
from services.ingest.domain.suppressions import Entry, Listed, as_called, news
from services.ingest.suppressions.reading import PORTION, ListJob, Portion
from services.ingest.uploading.content import Content

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PEPPER = b"pepper"
instants = st.none() | st.integers(-3, 3).map(lambda hours: NOW + timedelta(hours=hours))
to_come = st.none() | st.integers(1, 3).map(lambda hours: NOW + timedelta(hours=hours))
known = st.builds(
    Entry, version=st.just(1), active=st.booleans(), source=st.just("a"), expires_at=instants
)


def for_ever(instant: datetime | None) -> datetime:
    return instant or datetime.max.replace(tzinfo=UTC)


@given(entry=st.none() | known, expires_at=to_come)
def test_a_list_changes_what_it_prolongs_and_nothing_else(
    entry: Entry | None, expires_at: datetime | None
) -> None:
    listing = {b"digest": Listed(None, expires_at)}
    changed = news(listing, {b"digest": entry} if entry else {}, NOW)
    held_until = for_ever(entry.expires_at) if entry and entry.holds(NOW) else NOW
    assert bool(changed) == (for_ever(expires_at) > held_until)


@given(entry=known, expires_at=to_come)
def test_a_list_that_was_taken_changes_nothing_again(
    entry: Entry, expires_at: datetime | None
) -> None:
    listing = {b"digest": Listed(None, expires_at)}
    for digest, listed in news(listing, {b"digest": entry}, NOW).items():
        after = Entry(2, active=True, source="b", expires_at=listed.expires_at)
        assert news(listing, {digest: after}, NOW) == {}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("+12025551234", "+12025551234"), ("+4402079460000", "+442079460000")]
    + [(number, number) for number in ("+99912345678", "+449012345678")],
)
def test_a_number_is_suppressed_as_it_would_be_called(written: str, meant: str) -> None:
    assert as_called(written) == meant


def portions(*rows: str, header: str = "phone") -> list[Portion]:
    file = "\n".join([header, *rows]).encode()
    return list(ListJob(Content(data=file), PEPPER, NOW).portions())


def test_a_row_means_the_number_that_a_list_of_recipients_would_call() -> None:
    [portion] = portions("+12025551234", " 12025551234", "+4402079460000")
    wanted = {digest_of(PEPPER, number) for number in ("+12025551234", "+442079460000")}
    assert {digest.hex() for digest in portion.listing} == wanted


def test_digits_that_may_mean_another_number_are_refused() -> None:
    wrong = ["99912345678", "3105551234", "12-34", "+1202555", "2E9", " "]
    [portion] = portions(*(f"{number}," for number in wrong), header="phone,reason")
    assert (portion.listing, [row["row"] for row in portion.rejected]) == ({}, [1, 2, 3, 4, 5, 6])


def test_a_number_that_stands_twice_is_suppressed_for_the_longer_time() -> None:
    rows = [f"+12025551234,{at}" for at in ("2030-01-01T00:00:00Z", "", "2031-01-01T00:00:00Z")]
    [portion] = portions(*rows, header="phone,expires_at")
    digest = bytes.fromhex(digest_of(PEPPER, "+12025551234"))
    assert (portion.rows, portion.listing) == (3, {digest: Listed(None, None)})


def test_a_list_is_read_in_portions() -> None:
    rows = 2 * PORTION + 1
    taken = portions(*(f"+1202{2000000 + n}" for n in range(rows)))
    assert [portion.rows for portion in taken] == [PORTION, PORTION, 1]
