"""Rows go to PostgreSQL as one array a column: a statement a poll, never one a row."""

from collections.abc import Collection, Sequence
from typing import Any

from chassis.postgres import Connection


async def write(conn: Connection, statement: str, rows: Collection[Sequence[Any]]) -> None:
    """Runs a statement that unnests its parameters; nothing to write, nothing sent."""
    if rows:
        await conn.execute(statement, *zip(*rows, strict=True))
