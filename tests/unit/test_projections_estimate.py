"""Nobody is promised an end that the calendar, the limit and the batch's own calls do not allow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batches import RetryPolicy
from contracts.calendar import WEEK, Window, is_open
from contracts.estimate import Span, calling_time, expected_finish
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch
from services.projections.domain.estimate import MESSAGES, Unknown, estimate
from services.projections.domain.pace import pace_of
from services.projections.domain.slots import Lately, Slots
from tests.batch_seen import BUSY_ONCE, DONE, NOON, OFFICE, PLACING, a_batch

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TEN = Slots(limit=10)
THRICE = RetryPolicy(max_attempts=3, delay_seconds=(600, 3600))
OWN = Window(start="09:00", end="18:00", days=WEEK, timezone="recipient")
EVERY_HOUR = Window(start="09:00", end="18:00", days=WEEK, timezone="Europe/Paris")


def lately(placed: int, *, ended: int = 0, seconds: float = 60, minutes: int = 4) -> Lately:
    since = NOON - minutes * MINUTE
    return Lately(since, {since: placed}, NOON - MINUTE, ended, int(ended * seconds * 1000))


def running(total: int = 100, **facts: Any) -> Batch:
    told: dict[str, Any] = {"total": total, "slots": TEN, "uncalled": {"": None}}
    return a_batch(**told | facts)


def estimated(batch: Batch, now: datetime) -> datetime | Unknown:
    return estimate(batch, pace_of(batch, now), now)


def when(batch: Batch, now: datetime = NOON) -> datetime:
    finish = estimated(batch, now)
    assert isinstance(finish, datetime), finish
    return finish


@pytest.mark.parametrize(
    ("batch", "why"),
    [
        (a_batch(BatchStatus.PENDING), Unknown.NOT_STARTED),
        (a_batch(BatchStatus.SCHEDULED, landed=0), Unknown.WAITING_FOR_PEOPLE),
        (a_batch(BatchStatus.PAUSED), Unknown.PAUSED),
        (a_batch(BatchStatus.CANCELLED), Unknown.ENDED),
        (a_batch(standings={DONE: 3}), Unknown.ENDED),
        (running(slots=Slots()), Unknown.NO_PACE_YET),
        (running(standings={PLACING: 3}), Unknown.NO_PACE_YET),
        (running(window=OWN), Unknown.NEVER_OPEN),
        (running(10**9), Unknown.TOO_FAR_OFF),
    ],
)
def test_where_nobody_can_say_when_it_ends_it_is_said_why(batch: Batch, why: Unknown) -> None:
    assert estimated(batch, NOON) is why
    assert MESSAGES[why].endswith(".")


def test_before_its_first_call_a_batch_is_estimated_as_it_was_previewed() -> None:
    start = NOON + 2 * HOUR
    batch = a_batch(
        BatchStatus.SCHEDULED,
        total=95,
        slots=TEN,
        state={"scheduled_at": start},
        zones={"": Span()},
    )
    previewed = expected_finish(OFFICE, {(): Span()}, start, calling_time(95, 10))
    assert when(batch) == previewed == start + 10 * MINUTE
    assert when(running(95)) == NOON + 10 * MINUTE


def test_the_estimate_leaves_out_the_hours_in_which_nobody_is_called() -> None:
    late = NOON.replace(hour=17)
    batch = running(
        1200, lately=Lately(late - 4 * MINUTE, {late - 4 * MINUTE: 40}, late, 40, 40 * 60_000)
    )
    assert when(batch, late) == datetime(2026, 5, 11, 10, 1, tzinfo=UTC)


def test_calls_as_long_as_those_so_far_are_expected() -> None:
    short = lately(0, ended=5, seconds=6)
    assert when(running(100, lately=short)) == NOON + MINUTE


def test_the_first_calls_to_be_over_do_not_promise_that_all_are_so_short() -> None:
    begun = running(596, standings={PLACING: 10, DONE: 6}, lately=lately(0, ended=6, seconds=0.02))
    assert NOON + 30 * MINUTE < when(begun) < NOON + 60 * MINUTE


def test_what_goes_slower_than_its_slots_allow_is_estimated_by_its_pace() -> None:
    throttled = running(100, standings={PLACING: 10}, lately=lately(4, ended=10, seconds=6))
    assert pace_of(throttled, NOON).per_minute == 1
    assert when(throttled) == NOON + 90 * MINUTE + timedelta(seconds=33)


def test_slots_are_shared_with_the_batches_that_call_and_spared_for_the_reserve() -> None:
    alone = running(100)
    assert when(replace(alone, slots=Slots(10, taken=8, batches=1))) == NOON + 20 * MINUTE
    reserved = alone.created.model_copy(update={"reserved_concurrency": 5})
    assert when(replace(alone, created=reserved)) == NOON + 20 * MINUTE


def test_who_asked_for_a_later_hour_is_waited_for() -> None:
    later = NOON + 3 * HOUR
    batch = running(10, zones={"": Span(None, later)})
    assert when(batch) == later + MINUTE


def test_attempts_that_needed_another_one_are_expected_to_do_so_again() -> None:
    half = {"6:1:1:1:completed": 10, "6:1:1:1:busy": 10}
    told = lately(0, ended=20, minutes=0)
    once = running(120, standings=half, lately=told)
    often = running(120, standings=half, lately=told, policy=THRICE)
    assert when(once) == NOON + 10 * MINUTE
    # 100 people at 1 + 1/2 + 1/4 calls, 10 at 1 + 1/2, and both delays after the first round
    assert when(often) > NOON + 19 * MINUTE
    assert when(often) == max(when(often), NOON + 11 * MINUTE + timedelta(seconds=4200))


def test_a_retry_that_is_not_due_is_waited_for() -> None:
    waiting = a_batch(
        total=2, standings={DONE: 1, BUSY_ONCE: 1}, slots=TEN, policy=THRICE,
        lately=lately(0, ended=2),
    )  # fmt: skip
    assert NOON + 10 * MINUTE <= when(waiting) <= NOON + 15 * MINUTE + HOUR


@pytest.mark.parametrize(
    ("placed", "minutes", "turned", "pace"),
    [
        (0, 4, None, 0),
        (40, 4, None, 10),
        (40, 2, NOON - 2 * MINUTE, 20),
        (40, 4, NOON - 2 * MINUTE, 0),
        (10, 0, NOON - timedelta(seconds=1), 60),
    ],
)
def test_calls_are_counted_since_the_batch_was_set_going(
    placed: int, minutes: int, turned: datetime | None, pace: float
) -> None:
    batch = running(lately=lately(placed, minutes=minutes), turned_at=turned)
    assert pace_of(batch, NOON).per_minute == pace


def test_calls_are_counted_since_the_window_opened() -> None:
    opened = NOON.replace(hour=9)
    now = opened + 2 * MINUTE
    batch = running(lately=Lately(now - 4 * MINUTE, {opened: 10}, now, 0, 0))
    assert pace_of(batch, now).per_minute == 5


@pytest.mark.parametrize("status", [BatchStatus.PAUSED, BatchStatus.CANCELLED])
def test_what_does_not_run_has_no_pace(status: BatchStatus) -> None:
    assert pace_of(a_batch(status, lately=lately(40)), NOON).per_minute == 0


SPRING = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"])
INSTANTS = st.integers(0, 270 * 24 * 60).map(lambda minutes: SPRING + minutes * MINUTE)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    clocks = st.integers(0, 23).map(lambda hour: f"{hour:02}:30")
    start = draw(clocks)
    window = Window(
        start=start,
        end=draw(clocks.filter(lambda end: end != start)),
        days=tuple(draw(st.sets(st.sampled_from(WEEK), min_size=1))),
        timezone=draw(st.one_of(ZONES, st.just("recipient"))),
        fallback_timezone=draw(st.none() | ZONES),
    )
    times = st.none() | INSTANTS
    people = draw(st.dictionaries(ZONES | st.just(""), st.builds(Span, times, times), max_size=3))
    standings = draw(
        st.dictionaries(st.sampled_from([DONE, BUSY_ONCE, PLACING, "4:1:0:0:"]),
                        st.integers(1, 50), max_size=3)
    )  # fmt: skip
    ended = draw(st.integers(0, 50))
    return a_batch(
        draw(st.sampled_from(BatchStatus)),
        window=window,
        zones=people,
        standings=standings,
        total=sum(standings.values()) + draw(st.integers(0, 500)),
        policy=draw(st.sampled_from([RetryPolicy(), THRICE])),
        slots=Slots(draw(st.none() | st.integers(1, 50)), 0, draw(st.integers(0, 3))),
        lately=Lately(None, {}, draw(times), ended, ended * draw(st.integers(0, 90_000))),
        landed=draw(st.integers(0, 1)),
        state={"scheduled_at": draw(times)},
    )  # fmt: skip


def hours_of(batch: Batch, zones: str) -> tuple[str, ...]:
    window = batch.created.window
    return (window.timezone,) if window.timezone != "recipient" else tuple(filter(None, [zones]))


@given(batches(), INSTANTS, st.integers(1, 100))
def test_an_estimate_is_never_past_never_at_a_closed_hour_and_never_sooner_for_more_people(
    batch: Batch, now: datetime, more: int
) -> None:
    finish = estimated(batch, now)
    longer = estimated(replace(batch, total=batch.total + more), now)
    if isinstance(finish, Unknown):
        assert finish in MESSAGES
        return
    assert finish > now
    sets = [hours_of(batch, each) for each in batch.zones or [""]]
    fallback = batch.created.window.fallback_timezone
    sets += [(fallback,)] if fallback else []
    just_before = finish - timedelta(microseconds=1)
    assert any(is_open(batch.created.window, zones, just_before) for zones in sets)
    assert longer is Unknown.TOO_FAR_OFF or (isinstance(longer, datetime) and longer >= finish)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_the_clocks_change_within_a_batch_without_moving_its_hours(day: str) -> None:
    paris = ZoneInfo("Europe/Paris")
    evening = datetime.fromisoformat(f"{day}T17:55").replace(tzinfo=paris)
    morning = (evening + timedelta(days=1)).replace(hour=9, minute=5)
    batch = running(100, window=EVERY_HOUR)
    assert when(batch, evening.astimezone(UTC)) == morning
