"""The carrier's rate holds in every second, the first too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.rate import Rate


@given(
    per_second=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 0.4, allow_nan=False), max_size=200),
)
def test_no_second_sees_more_calls_than_the_rate(per_second: int, gaps: list[float]) -> None:
    rate, now, admitted = Rate(), 100.0, []
    for gap in gaps:
        now += gap
        if rate.admit(now, per_second) == 0:
            admitted.append(now)
    for start in admitted:
        assert sum(start <= at < start + 0.999 for at in admitted) <= per_second


def test_whoever_waits_as_long_as_told_gets_in() -> None:
    rate = Rate()
    assert [rate.admit(5.0, 3) for _ in range(3)] == [0, 0, 0]
    wait = rate.admit(5.25, 3)
    assert wait == pytest.approx(0.75)
    assert rate.admit(5.25 + wait, 3) == 0


def test_a_rate_below_one_spreads_calls_over_more_than_a_second() -> None:
    rate = Rate()
    assert rate.admit(0.0, 0.5) == 0
    assert rate.admit(1.5, 0.5) == pytest.approx(0.5)
    assert rate.admit(2.0, 0.5) == 0


def test_without_a_rate_everyone_gets_in() -> None:
    rate = Rate()
    assert {rate.admit(0.0, None) for _ in range(10_000)} == {0}
