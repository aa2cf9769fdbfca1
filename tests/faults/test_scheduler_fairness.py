"""Batches race for the slots of one account: nobody starves, nobody is paid for the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.domain.fairness import Demand, allocate
from tests.faults.mutants.fairness import Share, first_takes_all, repaying


@dataclass
class Runner:
    batch_id: UUID
    left: int
    starts: int = 0
    reserved: int = 0
    in_flight: int = 0


def race(
    share: Share, runners: Sequence[Runner], limits: Sequence[int], *, seed: int = 0
) -> list[list[int]]:
    """Calls in flight of each batch at each turn; in every turn one call ends, whosever it is."""
    dice, seen = Random(seed), []
    for turn, limit in enumerate(limits):
        busy = [runner for runner in runners for _ in range(runner.in_flight)]
        if busy:
            dice.choice(busy).in_flight -= 1
        free = max(0, limit - sum(runner.in_flight for runner in runners))
        wanting = [r for r in runners if r.starts <= turn]
        given_ = share(
            free, [Demand(r.batch_id, r.in_flight, min(free, r.left), r.reserved) for r in wanting]
        )
        assert sum(given_.values()) <= free
        for runner in wanting:
            runner.left -= given_[runner.batch_id]
            runner.in_flight += given_[runner.batch_id]
        seen.append([runner.in_flight for runner in runners])
    return seen


def runners(*sizes: int, starts: Sequence[int] = (0, 0, 0)) -> list[Runner]:
    return [Runner(UUID(int=n), size, starts[n]) for n, size in enumerate(sizes)]


def shares_while_all_have_work(share: Share) -> list[float]:
    """Of a hundred, a thousand and ten thousand recipients under a limit of thirty."""
    racing = runners(100, 1_000, 10_000)
    seen = race(share, racing, [30] * 150)
    return [sum(turn[n] for turn in seen) / (30 * len(seen)) for n in range(3)]


def level_of_the_early_one(share: Share) -> int:
    """The fewest calls a batch has after a second one started beside it, under a limit of ten."""
    racing = runners(10_000, 10_000, starts=(0, 300))
    return min(turn[0] for turn in race(share, racing, [10] * 900)[300:])


def test_each_of_three_batches_has_a_third_while_all_have_work() -> None:
    assert all(0.3 < share < 0.367 for share in shares_while_all_have_work(allocate))


def test_the_first_that_takes_all_is_found_out() -> None:
    assert min(shares_while_all_have_work(first_takes_all)) < 0.3


def test_a_late_batch_is_brought_level_and_paid_for_no_past() -> None:
    assert level_of_the_early_one(allocate) == 5


def test_one_that_repays_the_past_is_found_out() -> None:
    assert level_of_the_early_one(repaying()) < 5


@pytest.mark.parametrize("low", [1, 3])
def test_a_limit_lowered_takes_no_call_away_and_one_raised_is_used_at_once(low: int) -> None:
    racing = runners(10_000, 10_000)
    taken = [sum(turn) for turn in race(allocate, racing, [10] * 20 + [low] * 40 + [20] * 5)]
    assert taken[:20] == [10] * 20
    assert taken[20:60] == [max(low, 10 - gone) for gone in range(1, 41)]
    assert taken[60:] == [20] * 5


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=6),
    st.integers(1, 9),
    st.lists(st.integers(0, 30), min_size=6, max_size=6),
    st.integers(0, 999),
)
def test_no_batch_starves_and_all_come_to_their_end(
    sizes: list[int], limit: int, starts: list[int], seed: int
) -> None:
    racing = runners(*sizes, starts=starts)
    race(allocate, racing, [limit] * (sum(sizes) + max(starts) + 1), seed=seed)
    assert [runner.left for runner in racing] == [0] * len(sizes)


@given(st.integers(1, 5), st.integers(6, 12), st.integers(0, 99))
def test_what_a_batch_reserves_for_others_stays_free_all_along(
    reserved: int, limit: int, seed: int
) -> None:
    racing = runners(10_000)
    racing[0].reserved = reserved
    seen = race(allocate, racing, [limit] * 50, seed=seed)
    assert {turn[0] for turn in seen[5:]} <= {limit - reserved, limit - reserved - 1}
