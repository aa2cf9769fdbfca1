"""A trial's faults follow from its seed, strike everything alike, and end with the requests."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.trial.schedule import (
    LONG,
    PAST_EVERYTHING,
    PAST_SENDING,
    SHORT,
    Fault,
    Kind,
    strikes,
)
from tests.faults.trial.schedule import schedule as make

EVERYTHING = (
    *("ingest", "scheduler", "dialer-1", "dialer-2", "projections", "kafka", "postgres"),
    *("ingest/kafka", "scheduler/postgres", "dialer-1/kafka", "dialer-1/carrier"),
    *("carrier", "dialers"),
)
parts = st.lists(st.sampled_from(EVERYTHING), unique=True)
kinds = st.lists(st.sampled_from(list(Kind)), min_size=1, unique=True)
seeds, counts = st.integers(), st.integers(0, 200)


@given(seeds, parts, kinds, counts, st.integers(1, 1000))
def test_the_same_seed_gives_the_same_faults(
    seed: int, parts: list[str], kinds: list[Kind], faults: int, requests: int
) -> None:
    def again() -> tuple[Fault, ...]:
        return make(seed, parts, faults=faults, requests=requests, kinds=kinds)

    assert again() == again()


@given(seeds, parts, kinds, counts, st.integers(1, 1000))
def test_faults_strike_only_what_they_can_and_while_requests_are_made(
    seed: int, parts: list[str], kinds: list[Kind], faults: int, requests: int
) -> None:
    made = make(seed, parts, faults=faults, requests=requests, kinds=kinds)
    possible = any(strikes(kind, parts) for kind in kinds)
    assert len(made) == (faults if possible else 0)
    assert [fault.after for fault in made] == sorted(fault.after for fault in made)
    for fault in made:
        assert fault.kind in kinds
        assert fault.part in strikes(fault.kind, parts)
        assert 0 <= fault.after < requests
        low, high = SHORT[fault.kind]
        assert low <= fault.seconds <= high


@given(seeds, parts, kinds, counts)
def test_kinds_and_the_parts_of_each_come_equally_often(
    seed: int, parts: list[str], kinds: list[Kind], faults: int
) -> None:
    made = make(seed, parts, faults=faults, requests=1000, kinds=kinds)
    by_kind = Counter(fault.kind for fault in made)
    possible = [kind for kind in kinds if strikes(kind, parts)]
    assert is_even([by_kind[kind] for kind in possible])
    for kind in possible:
        by_part = Counter(fault.part for fault in made if fault.kind is kind)
        assert is_even([by_part[part] for part in strikes(kind, parts)])


def is_even(counts: list[int]) -> bool:
    return not counts or max(counts) - min(counts) <= 1


def test_another_seed_gives_other_faults() -> None:
    made = {make(seed, EVERYTHING, faults=20, requests=500) for seed in range(20)}
    assert len(made) == 20


def test_a_short_freeze_outlasts_a_grant_to_send_and_a_long_one_every_session() -> None:
    assert SHORT[Kind.FREEZE][0] > PAST_SENDING
    assert LONG[Kind.FREEZE][1] > PAST_EVERYTHING
