"""No batch gets more than its share while another one waits; no slot stays free without need.

Max-min fair on calls in flight: each free slot goes to the batch with the fewest calls that wants
one.  The past earns nothing: a batch that starts late is brought level from then on, not repaid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Demand:
    batch_id: UUID
    in_flight: int
    wanted: int
    """How many could be called now."""
    reserved: int = 0
    """Slots the batch leaves free for the account's other calls."""


def allocate(free: int, demands: Sequence[Demand]) -> dict[UUID, int]:
    """How many slots each batch gets; among equals, whoever comes first in `demands`.

    Batches that reserve r or more take no more than `free - r` together, so they leave r to others.
    """
    given = dict.fromkeys((demand.batch_id for demand in demands), 0)
    room = {reserve: free - reserve for reserve in {0, *(d.reserved for d in demands)}}
    line = [(d.in_flight, turn, d) for turn, d in enumerate(demands) if d.wanted > 0]
    heapify(line)
    while line:
        in_flight, turn, demand = heappop(line)
        levels = [reserve for reserve in room if reserve <= demand.reserved]
        if min(room[reserve] for reserve in levels) <= 0:
            continue  # room only shrinks: it will get no more
        for reserve in levels:
            room[reserve] -= 1
        given[demand.batch_id] += 1
        if given[demand.batch_id] < demand.wanted:
            heappush(line, (in_flight + 1, turn, demand))
    return given
