"""What stands in a grant, and until when it is good."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.calendar import WEEK, Window, is_open
from contracts.ids import call_id_of
from contracts.progress import Progress, Stage
from contracts.statuses import BatchStatus
from services.scheduler.domain.batch import Batch, Status
from services.scheduler.domain.grants import Candidate, Runnable, free_slots, grants, may_grant
from services.scheduler.domain.hours import Timetable, hours, zones_key
from tests.scheduler_story import NOON, Story

CLOSES = NOON + timedelta(hours=6)
RUNNING = Status(status=BatchStatus.RUNNING, sequence=2, epoch=4, command_no=1)


def batch(story: Story, **now: object) -> Batch:
    return Batch(story.created(), replace(RUNNING, **now), landed=True)  # type: ignore[arg-type]


def candidate(story: Story, row: int = 1, progress: Progress = Progress()) -> Candidate:  # noqa: B008
    return Candidate(story.recipient(row), "sealed", progress)


def runnable(it: Batch, candidates: Sequence[Candidate]) -> Runnable:
    return Runnable(it, 0, candidates, {"": CLOSES})


def test_a_grant_says_who_is_called_for_which_time_under_which_limit_and_until_when() -> None:
    story = Story()
    (grant,) = grants([runnable(batch(story), [candidate(story)])], limit=7, free=3, at=NOON)
    recipient = story.recipient(1)
    assert grant.call_id == call_id_of(story.batch_id, recipient, 1)
    assert (grant.grant_no, grant.attempt, grant.run_attempt, grant.epoch) == (1, 1, 1, 4)
    assert (grant.limit, grant.place_before, grant.sealed) == (7, CLOSES, "sealed")
    assert (grant.agent_id, grant.from_number) == ("agent", "+15550000000")


def test_a_grant_is_good_until_the_window_closes_or_the_batch_ends() -> None:
    story = Story()
    soon = NOON + timedelta(minutes=5)
    one = [runnable(batch(story, expires_at=soon), [candidate(story)])]
    assert [grant.place_before for grant in grants(one, limit=1, free=1, at=NOON)] == [soon]


def test_a_batch_that_reserves_all_that_is_left_of_the_limit_keeps_one_slot() -> None:
    story = Story()
    it = Batch(story.created(reserved_concurrency=3), batch(story).now)
    one = [runnable(it, [candidate(story, row) for row in (1, 2, 3)])]
    assert [len(grants(one, limit=n, free=n, at=NOON)) for n in (1, 2, 3, 4, 5)] == [1, 1, 1, 1, 2]


def test_a_retry_counts_attempts_anew_and_the_total_goes_on() -> None:
    story = Story()
    before = Progress(grant_no=5, stage=Stage.ENDED, epoch=3, attempt=4, run_attempt=2)
    for retry_epoch, run_attempt in ((0, 3), (3, 3), (4, 1)):
        it = batch(story, retry_epoch=retry_epoch)
        (grant,) = grants([runnable(it, [candidate(story, 1, before)])], limit=1, free=1, at=NOON)
        assert (grant.grant_no, grant.attempt, grant.run_attempt) == (6, 5, run_attempt)


def test_grants_keep_to_the_free_slots_and_to_the_order_of_the_rows() -> None:
    story = Story(recipients=9)
    everyone = [candidate(story, row) for row in range(1, 10)]
    said = grants([runnable(batch(story), everyone)], limit=9, free=4, at=NOON)
    assert [grant.recipient_id for grant in said] == [story.recipient(r) for r in (1, 2, 3, 4)]


def test_a_lowered_limit_takes_no_call_away_and_gives_no_slot() -> None:
    assert [free_slots(limit, 5) for limit in (3, 5, 8)] == [0, 0, 3]


@pytest.mark.parametrize("status", BatchStatus)
def test_only_a_running_batch_is_granted_slots(status: BatchStatus) -> None:
    it = batch(Story(), status=status)
    assert may_grant(it, NOON) is (status is BatchStatus.RUNNING)
    assert not may_grant(replace(it, deleted=True), NOON)
    assert not may_grant(batch(Story(), expires_at=NOON), NOON)


ZONES = ("Europe/Paris", "America/New_York", "Australia/Sydney")
WINDOWS = st.builds(
    Window,
    start=st.sampled_from(["00:00", "09:00", "22:00"]),
    end=st.sampled_from(["06:00", "18:00", "24:00"]),
    days=st.lists(st.sampled_from(WEEK), min_size=1, unique=True).map(tuple),
    timezone=st.sampled_from(["recipient", "Europe/Paris"]),
    fallback_timezone=st.sampled_from([None, "Europe/Paris"]),
)
INSTANTS = st.integers(0, 400 * 24 * 4).map(lambda n: NOON + n * timedelta(minutes=15))


@given(WINDOWS, st.lists(st.sampled_from(ZONES), unique=True).map(tuple), INSTANTS)
def test_the_timetable_never_says_open_where_the_calendar_says_closed(
    window: Window, zones: tuple[str, ...], now: datetime
) -> None:
    key, timetable = zones_key(window, zones), Timetable()
    for _ in range(5):
        seen = timetable.hours(window, key, now)
        assert seen == timetable.hours(window, key, seen.until - timedelta(seconds=1))
        assert seen.open == hours(window, key, now).open
        assert seen.until > now
        if seen.open and window.timezone != "recipient":
            assert is_open(window, (window.timezone,), seen.until - timedelta(seconds=1))
        now = seen.until


def test_where_the_window_has_a_zone_those_of_the_rows_do_not_matter() -> None:
    fixed = Window(start="09:00", end="18:00", days=("mon",), timezone="Europe/Paris")
    theirs = fixed.model_copy(update={"timezone": "recipient"})
    assert zones_key(fixed, ZONES) == ""
    assert zones_key(theirs, ZONES) == zones_key(theirs, ZONES[::-1]) == ",".join(sorted(ZONES))


def test_held_rows_go_by_the_fallback_zone_or_never() -> None:
    window = Window(start="09:00", end="10:00", days=WEEK, timezone="recipient")
    apart = zones_key(window, ("Europe/Paris", "Australia/Sydney"))
    assert not hours(window, apart, NOON).open
    fallback = window.model_copy(update={"fallback_timezone": "UTC", "end": "13:00"})
    assert hours(fallback, zones_key(fallback, ()), NOON).open
