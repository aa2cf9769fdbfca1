"""Records sought at named places: those near each other are read together, far ones sought."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chassis.origins import GAP, spans


def test_far_places_are_sought_one_by_one() -> None:
    assert spans([5, 1_000_000, 7, 1_000_001]) == [(5, 7), (1_000_000, 1_000_001)]


@given(st.sets(st.integers(0, 20 * GAP), min_size=1))
def test_every_place_is_in_one_span_and_no_span_reads_over_a_gap(offsets: set[int]) -> None:
    found = spans(offsets)
    ends = {end for span in found for end in span}
    assert ends <= offsets
    assert all(sum(a <= offset <= b for a, b in found) == 1 for offset in offsets)
    assert all(later[0] - earlier[1] > GAP for earlier, later in pairwise(found))
    read = sum(b - a for a, b in found)
    assert read <= GAP * (len(offsets) - len(found))
