"""Every figure can be measured: a taste of each, so that the bench does not rot unseen."""

from collections.abc import Iterator
from math import isfinite

import pytest

from tests.bench.figure import Figure, Goal, percentile
from tests.bench.figures import FIGURES
from tests.bench.sizes import TINY
from tests.bench.turnover import between
from tests.house import House, Json, house


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("bench") / "data") as opened:
        yield opened


@pytest.mark.chaos  # the whole of it is `make bench`
@pytest.mark.parametrize("name", FIGURES)  # in their order: the last one stops the house
def test_the_figure_is_measured_beside_its_reference(name: str, running: House) -> None:
    for figure in FIGURES[name](running, TINY):
        assert isfinite(figure.value), figure
        assert figure.reference > 0, figure


def test_a_figure_says_whether_its_ratio_reaches_the_goal() -> None:
    half = Goal(at_least=0.5, of_ratio=True)
    assert Figure("rate", 50, "calls/s", 100, "a plain loop", half).reached is True
    assert Figure("rate", 49, "calls/s", 100, "a plain loop", half).reached is False


def test_a_figure_says_whether_it_stays_below_its_goal() -> None:
    bound = Goal(at_most=5)
    assert Figure("CPU", 5, "%", 1, "the servers", bound).reached is True
    assert Figure("CPU", 5.1, "%", 1, "the servers", bound).reached is False
    assert Figure("CPU", 5.1, "%", 1, "the servers").reached is None


def test_a_percentile_is_one_of_the_values_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_a_slot_is_empty_from_a_calls_end_to_the_request_that_fills_it() -> None:
    def entry(kind: str, second: int) -> Json:
        return {"kind": kind, "at": f"2026-01-01T00:00:{second:02}Z"}

    story = [
        entry("request", 0),
        entry("end", 1),
        entry("request", 2),  # of the other slot, which nobody has had
        entry("request", 4),
        entry("end", 5),
        entry("end", 6),
        entry("request", 10),
    ]
    assert between(story, slots=2) == [3, 5]
