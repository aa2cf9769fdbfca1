"""Ways to share slots that are wrong in one way each; the race between batches finds them out."""

from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from services.scheduler.domain.fairness import Demand

Share: TypeAlias = Callable[[int, Sequence[Demand]], dict[UUID, int]]


def first_takes_all(free: int, demands: Sequence[Demand]) -> dict[UUID, int]:
    """Whoever comes first in line takes what it can use."""
    given = {}
    for demand in demands:
        given[demand.batch_id] = min(free, demand.wanted)
        free -= given[demand.batch_id]
    return given


def repaying() -> Share:
    """Level in what each has had since it began: a late one is owed all that the others had."""
    had: dict[UUID, int] = {}

    def share(free: int, demands: Sequence[Demand]) -> dict[UUID, int]:
        given = dict.fromkeys((demand.batch_id for demand in demands), 0)
        for _ in range(free):
            hungry = [d for d in demands if given[d.batch_id] < d.wanted]
            if not hungry:
                break
            poorest = min(hungry, key=lambda d: had.get(d.batch_id, 0))
            given[poorest.batch_id] += 1
            had[poorest.batch_id] = had.get(poorest.batch_id, 0) + 1
        return given

    return share
