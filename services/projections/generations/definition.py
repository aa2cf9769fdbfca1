"""A generation of the read model is a schema of its own, made from the folded migrations.

They hold tables and indexes, nothing else.  The code at hand is made for models of its own digest;
migrations go forward only, so of two digests the one of more steps is the newer.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from chassis.comparing import not_compared
from chassis.migrations import Step, steps_in
from chassis.postgres import Connection
from chassis.queries import load_queries

Q = load_queries(__file__)
FOLDED = Path(__file__).parents[1] / "migrations" / "folded"
_INDEX = re.compile(r"^CREATE INDEX (.*?;)$", re.MULTILINE | re.DOTALL)
_STATEMENT = re.compile(r"^[A-Z]", re.MULTILINE)


@dataclass(frozen=True)
class Definition:
    steps: tuple[Step, ...]

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256("".join(step.digest for step in self.steps).encode()).hexdigest()

    @property
    def not_compared(self) -> dict[str, list[str]]:
        return not_compared(step.sql for step in self.steps)

    @property
    def tables(self) -> list[str]:
        """With what keeps their rows unique, and without what only makes reads fast."""
        texts = [_INDEX.sub("", step.sql) for step in self.steps]
        return [text for text in texts if _STATEMENT.search(text)]

    @property
    def indexes(self) -> list[str]:
        return [
            f"CREATE INDEX IF NOT EXISTS {index}"
            for step in self.steps
            for index in _INDEX.findall(step.sql)
        ]


def definition(folder: Path = FOLDED) -> Definition:
    return Definition(tuple(steps_in(folder)))


def schema_of(number: int) -> str:
    return f"model_{number}"


async def create(conn: Connection, what: Definition, state: str) -> int:
    """Its tables, empty and without their indexes; the session stays in them."""
    number = int(await conn.fetchval(Q.next_number))
    await conn.execute(await conn.fetchval(Q.create_schema, number))
    await conn.execute(Q.add, number, state, len(what.steps), what.digest)
    await stay_in(conn, number)
    for step in what.tables:
        await conn.execute(step)
    return number


async def stay_in(conn: Connection, number: int) -> None:
    """Unqualified names mean that generation, until the session ends."""
    await conn.execute(Q.stay_in, number)
