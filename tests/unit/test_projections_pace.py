"""Nobody is shown a pace that the calls did not go at, whenever the batch was held in between."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.domain.batch import Batch
from services.projections.domain.pace import ENOUGH, MINUTE, pace_of
from services.projections.domain.slots import Lately
from tests.batch_seen import NOON, a_batch

SECOND = timedelta(seconds=1)
HISTORIES = st.lists(st.integers(0, 900), max_size=200)
INSTANTS = st.tuples(*[st.integers(0, 900)] * 4).map(sorted)


def called(calls: list[datetime], *, started: datetime, turned: datetime, now: datetime) -> Batch:
    """As the read side finds it: calls counted by the minute."""
    since = now.replace(second=0) - 4 * MINUTE
    minutes = Counter(at.replace(second=0) for at in calls if at <= now)
    placed = {minute: count for minute, count in minutes.items() if minute >= since}
    return a_batch(
        lately=Lately(since, placed), turned_at=turned, state={"started_at": started}
    )  # fmt: skip


@given(HISTORIES, INSTANTS)
def test_the_pace_is_that_of_a_time_in_which_the_calls_were_placed(
    seconds: list[int], instants: list[int]
) -> None:
    started, paused, resumed, now = (NOON + second * SECOND for second in instants)
    calls = [
        at
        for at in (NOON + second * SECOND for second in seconds)
        if started <= at < paused or resumed <= at <= now
    ]
    pace = pace_of(called(calls, started=started, turned=resumed, now=now), now)
    in_it = [at for at in calls if at >= now - pace.measured]
    assert pace.per_minute == pytest.approx(len(in_it) / (pace.measured / MINUTE), abs=0.051)
    assert pace.measured <= 5 * MINUTE


@given(st.integers(1, 20), INSTANTS)
def test_after_a_pause_a_steady_batch_is_never_said_to_go_faster_and_soon_as_fast(
    gap: int, instants: list[int]
) -> None:
    started, paused, resumed, now = (NOON + second * SECOND for second in instants)
    first = range(int((paused - started) / SECOND))[::gap]
    second = range(int((now - resumed) / SECOND) + 1)[::gap]
    calls = [started + at * SECOND for at in first] + [resumed + at * SECOND for at in second]
    pace = pace_of(called(calls, started=started, turned=resumed, now=now), now)
    true, rounding = 60 / gap, 0.05 + 1 / (pace.measured / MINUTE)
    # one call more for each of the two stretches, wherever they begin
    assert pace.per_minute <= true + 2 * rounding
    if pace.tells:
        assert pace.per_minute >= true - rounding
    assert pace.tells or now - resumed < 2 * ENOUGH


def test_what_was_called_before_a_short_pause_is_not_counted_as_called_since() -> None:
    resumed = NOON + 55 * SECOND
    calls = [NOON + second * SECOND for second in range(50)]
    batch = called(calls, started=NOON - MINUTE, turned=resumed, now=NOON + 65 * SECOND)
    assert pace_of(batch, NOON + 65 * SECOND).per_minute == pytest.approx(50 / 65 * 60, abs=0.1)
