"""Who gets the free slots: everyone alike, none in vain, none too many."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.domain.fairness import Demand, allocate

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


@st.composite
def demands(draw: st.DrawFn) -> list[Demand]:
    count = draw(st.integers(0, 6))
    return [
        Demand(
            UUID(int=n),
            in_flight=draw(st.integers(0, 12)),
            wanted=draw(st.integers(0, 12)),
            reserved=draw(st.sampled_from([0, 0, 0, 2, 5])),
        )
        for n in range(count)
    ]


def room(free: int, shares: dict[UUID, int], asked: list[Demand], demand: Demand) -> int:
    """How many more the batch could still take without touching what others leave free."""
    levels = {d.reserved for d in asked if d.reserved <= demand.reserved} | {0}
    return min(
        free - level - sum(shares[d.batch_id] for d in asked if d.reserved >= level)
        for level in levels
    )


@given(st.integers(0, 30), demands())
def test_no_slot_is_given_twice_and_none_that_nobody_wants(free: int, asked: list[Demand]) -> None:
    shares = allocate(free, asked)
    assert sum(shares.values()) <= free
    assert all(0 <= shares[d.batch_id] <= d.wanted for d in asked)


@given(st.integers(0, 30), demands())
def test_no_slot_stays_free_while_a_batch_that_may_take_it_waits(
    free: int, asked: list[Demand]
) -> None:
    shares = allocate(free, asked)
    for demand in asked:
        if shares[demand.batch_id] < demand.wanted:
            assert room(free, shares, asked, demand) <= 0


@given(st.integers(0, 30), demands())
def test_nobody_gets_a_slot_who_has_more_calls_than_one_who_waits_for_it(
    free: int, asked: list[Demand]
) -> None:
    shares = allocate(free, asked)
    for poor in asked:
        if shares[poor.batch_id] == poor.wanted:
            continue
        for rich in asked:
            if rich.reserved < poor.reserved or not shares[rich.batch_id]:
                continue  # what it took is not for the other one to take
            before_its_last = rich.in_flight + shares[rich.batch_id] - 1
            assert before_its_last <= poor.in_flight + shares[poor.batch_id]


@given(st.integers(0, 20), st.integers(0, 6), st.integers(1, 30))
def test_a_batch_leaves_free_what_it_reserves_for_other_calls(
    free: int, reserved: int, wanted: int
) -> None:
    (given_,) = allocate(free, [Demand(A, 0, wanted, reserved)]).values()
    assert given_ == max(0, min(wanted, free - reserved))


def test_what_one_batch_leaves_free_another_may_take() -> None:
    shares = allocate(10, [Demand(A, 0, 99), Demand(B, 0, 99, reserved=5)])
    assert shares == {A: 5, B: 5}


def test_a_small_wish_is_met_and_the_rest_is_shared() -> None:
    shares = allocate(10, [Demand(A, 0, 2), Demand(B, 0, 99), Demand(C, 0, 99)])
    assert shares == {A: 2, B: 4, C: 4}


def test_a_late_batch_is_brought_level_and_gets_no_more_than_that() -> None:
    assert allocate(4, [Demand(A, 6, 99), Demand(B, 0, 99)]) == {A: 0, B: 4}
    assert allocate(4, [Demand(A, 3, 99), Demand(B, 3, 99)]) == {A: 2, B: 2}


def test_among_equals_the_first_in_line_comes_first() -> None:
    assert allocate(1, [Demand(B, 1, 9), Demand(A, 1, 9)]) == {B: 1, A: 0}
