"""Whether a long list leaves short ones their share: who was called while all had someone to call.

By the order of requests in the carrier's ledger, until the shortest of the lists has run out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.bench.carrier_watch import Watch
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House, until

TALKS = [0.1, 0.5]
FAIR = Goal(at_least=0.9, at_most=1.1, of_ratio=True)


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.shared_slots)
    house.behave(**INSTANT | {"talk_seconds": TALKS})
    lists = [numbers(length, skip=sum(size.sharing[:n])) for n, length in enumerate(size.sharing)]
    watch = Watch(house)
    batches = _due_together(house, lists, size)
    shortest = min(lists, key=len)
    until(lambda: _asked(watch, shortest) == len(shortest), "a list run out", size.patience)
    longest = max(zip(lists, batches, strict=True), key=lambda pair: len(pair[0]))[1]
    house.command("POST", f"/v1/batches/{longest}/cancel", {})
    for batch in batches:
        house.until_over(batch, size.patience)
    called = [entry["to"] for entry in watch.look().accepted()]
    return [
        Figure(
            f"share of a list of {len(of):,} beside {len(lists) - 1} others",
            100 * share,
            "% of calls",
            100 / len(lists),
            "an equal share",
            FAIR,
        )
        for of, share in zip(lists, shares(called, lists), strict=True)
    ]


def shares(called: Sequence[str], lists: Sequence[Sequence[str]]) -> list[float]:
    """Of each list, up to the call after which one of them has nobody left."""
    places = {number: place for place, number in enumerate(called)}
    run_out = min(
        max(places[number] for number in each)
        for each in lists
        if all(number in places for number in each)
    )
    among = called[: run_out + 1]
    return [len(set(among) & set(each)) / len(among) for each in lists]


def _due_together(house: House, lists: Sequence[Sequence[str]], size: Size) -> list[str]:
    due = datetime.now(UTC) + timedelta(seconds=size.lead_seconds)
    batches = [house.create(csv_of(list(each)), scheduled_at=due.isoformat()) for each in lists]
    if datetime.now(UTC) > due:
        raise AssertionError("they were due before they were there")
    return batches


def _asked(watch: Watch, numbers: Sequence[str]) -> int:
    return len(watch.look().to(numbers).accepted())
