"""How much slower many accounts are served than one that has as many people to call.

From end to end, on instant calls: a grant counts when its request is in the carrier's ledger.  All
are started at once; the accounts together have as many slots as the one that stands beside them,
which is measured before and after.
"""

from collections.abc import Mapping
from itertools import islice
from uuid import uuid4

import uvloop

from tests.bench.carrier_watch import Watch, at
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import numbers
from tests.bench.sizes import Size
from tests.bench.written_batches import (
    Written,
    heard,
    keys_of,
    start,
    until_heard,
    write,
    write_accounts,
)
from tests.house import House, until

SLOTS = 5
"""Of each of the many."""


def measure(house: House, size: Size) -> list[Figure]:
    house.behave(**INSTANT)
    people = size.accounts * size.people_of_account
    one = {"one": (people, SLOTS * size.accounts)}
    each = {str(n): (size.people_of_account, SLOTS) for n in range(size.accounts)}
    before = _per_second(house, one, size)
    many = _per_second(house, each, size)
    after = _per_second(house, one, size)
    return [
        Figure(
            f"grants of {size.accounts} accounts, a batch of {size.people_of_account} each",
            many,
            "grants/s",
            (before + after) / 2,
            f"one account, {people:,} people",
            Goal(at_least=0.7, of_ratio=True),
        )
    ]


def _per_second(house: House, accounts: Mapping[str, tuple[int, int]], size: Size) -> float:
    """People to call and slots, of each account."""
    before, watch, own = heard(house), Watch(house), uuid4().hex[:8]
    everyone = iter(numbers(sum(people for people, _ in accounts.values())))
    batches = [
        Written(f"{own}-{name}", list(islice(everyone, people)))
        for name, (people, _) in accounts.items()
    ]
    limits = {f"{own}-{name}": slots for name, (_, slots) in accounts.items()}
    uvloop.run(_written(house, batches, limits))
    until_heard(house, before, len(batches), size.patience)
    asked = uvloop.run(start(house, batches))
    calls = sum(people for people, _ in accounts.values())
    until(lambda: len(watch.look().of("end")) >= calls, "everyone called", size.patience)
    requests = watch.look().accepted()
    if len(requests) != calls:
        raise AssertionError(f"{len(requests)} requests for {calls} people")
    return calls / (at(requests[-1]) - asked).total_seconds()


async def _written(house: House, batches: list[Written], limits: Mapping[str, int]) -> None:
    await write_accounts(house, limits)
    await write(house, batches, await keys_of(house, batches))
