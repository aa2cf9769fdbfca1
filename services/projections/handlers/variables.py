"""Which variables a batch's people have, by where each is met first: whatever came before what."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from uuid import UUID

from chassis.postgres import Connection
from contracts.ids import derive
from services.projections.handlers.rows import write
from services.projections.results import RESULTS

Names: TypeAlias = tuple[str, ...]
"""Of one recipient, in their order."""
Met: TypeAlias = tuple[UUID, UUID, str, int, int]


def first_met(batch_id: UUID, rows: Mapping[Names, int]) -> list[Met]:
    """`rows` has the first row of each list of names: most people have the same."""
    places: dict[str, tuple[int, int]] = {}
    for names, row in rows.items():
        for place, name in enumerate(names):
            places[name] = min(places.get(name, (row, place)), (row, place))
    return [
        (derive("variable", batch_id, name), batch_id, name, *first)
        for name, first in places.items()
    ]


async def fold_variables(conn: Connection, met: Iterable[Met]) -> None:
    least: dict[UUID, Met] = {}
    for each in met:
        known = least.setdefault(each[0], each)
        if each[3:] < known[3:]:
            least[each[0]] = each
    await write(conn, RESULTS.fold_variables, list(least.values()))
