"""Whoever reads or writes enters the live generation, transaction by transaction.

So a new one takes its place between two of them, and nobody sees a part of each.
"""

from pathlib import Path
from typing import cast

import asyncpg
import structlog

from chassis.apply import Fold
from chassis.migrations import migrate
from chassis.postgres import Connection, Session, SupersededError, connect
from chassis.rebuild import RebuildError
from chassis.records import Received
from services.projections.generations.definition import Definition, Q, create

log = structlog.get_logger()

WORKING = Path(__file__).parents[1] / "migrations" / "working"


class TooOldError(RebuildError):
    """The model in the database was made for newer code."""


async def enter(conn: Connection) -> None:
    """For whoever reads, in a session of the pool."""
    schemas = await conn.fetchval(Q.enter)
    await cast("Session", conn).moved_to(schemas)


def folding_into(what: Definition, fold: Fold) -> Fold:
    """The fold, into the live model; as long as the live model is that of our code."""

    async def folded(conn: Connection, records: list[Received]) -> None:
        if await conn.fetchval(Q.enter_as, what.digest) is None:
            raise SupersededError("the live model was made for other code: deploy that")
        await fold(conn, records)

    return folded


async def prepare(dsn: str, what: Definition) -> bool:
    """The database as the code at hand needs it; False: it has a model of older code.

    A database without any gets an empty one, to be read up like any other.  Raises TooOldError.
    """
    await migrate(dsn, WORKING)
    conn = await connect(dsn, application_name="generations")
    try:
        await _first(conn, what)
        live = await conn.fetchrow(Q.live)
        assert live is not None  # noqa: S101 - there is one, from now on for ever
        if live["digest"] == what.digest:
            return True
        if live["steps"] > len(what.steps):
            raise TooOldError("The read model is of a newer version: start that one, not this.")
        return False
    finally:
        await conn.close()


async def _first(conn: Connection, what: Definition) -> None:
    """Of several at once, one makes it."""
    try:
        async with conn.transaction():
            if await conn.fetchrow(Q.live) is None:
                await create(conn, what, "live")
                for index in what.indexes:
                    await conn.execute(index)
                log.info("first_generation")
    except (asyncpg.UniqueViolationError, asyncpg.DuplicateSchemaError):
        log.info("generation_made_by_another")
