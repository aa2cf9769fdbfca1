"""Two models of one log, table by table: what one has and the other has not is told by its keys."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chassis.postgres import Connection
from chassis.queries import load_queries

Q = load_queries(__file__, "comparing.sql")

_NOT_COMPARED = re.compile(r"^-- not compared: *(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    rows: int
    missing: int
    """Rows of the rebuilt table that the live one has not."""
    surplus: int
    """Rows of the live table that the rebuilt one has not."""
    keys: Sequence[str]
    """Of some rows that differ."""

    @property
    def equal(self) -> bool:
        return not self.missing and not self.surplus


async def compared(
    conn: Connection, rebuilt: str, live: str, excluded: Mapping[str, Sequence[str]]
) -> list[Table]:
    """The tables that both schemas have, in the columns that both have; each has a primary key.

    `excluded`: columns, by table, that depend on when something was folded; none is of a key.
    """
    names = [row["tablename"] for row in await conn.fetch(Q.shared_tables, rebuilt, live)]
    return [await _compared(conn, rebuilt, live, it, excluded.get(it, ())) for it in names]


async def unshared(conn: Connection, one: str, other: str) -> list[str]:
    """The tables that only one of the two schemas has."""
    both = (one, other), (other, one)
    return [row["tablename"] for pair in both for row in await conn.fetch(Q.unshared_tables, *pair)]


async def _compared(
    conn: Connection, rebuilt: str, live: str, name: str, excluded: Sequence[str]
) -> Table:
    comparison = await conn.fetchval(Q.comparison, rebuilt, live, name, list(excluded))
    row = await conn.fetchrow(comparison)
    assert row is not None  # noqa: S101 - a SELECT of aggregates
    return Table(name, row["rows"], row["missing"], row["surplus"], row["keys"])


def not_compared(texts: Iterable[str]) -> dict[str, list[str]]:
    """`-- not compared: table.column, table.column` in a migration, by table."""
    excluded: dict[str, list[str]] = {}
    for text in texts:
        for line in _NOT_COMPARED.findall(text):
            for place in line.split(","):
                table, column = place.strip().split(".")
                excluded.setdefault(table, []).append(column)
    return excluded
