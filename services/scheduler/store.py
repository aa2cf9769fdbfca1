"""What the scheduler's rows say.  Every query has a name in queries.sql."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.dispatch import EarlierCall
from contracts.outcomes import Outcome
from contracts.progress import ATTEMPT_CAP, Progress, Stage
from services.scheduler.domain.batch import Batch
from services.scheduler.domain.grants import Candidate

Q = load_queries(__file__)


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the arrays that unnest() takes."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


async def still_waiting(conn: Connection, batches: Sequence[Batch]) -> set[UUID]:
    """The batches in which someone is still to be called."""
    if not batches:
        return set()
    rows = await conn.fetch(
        Q.waiting,
        [batch.batch_id for batch in batches],
        [batch.now.retry_epoch for batch in batches],
        [batch.now.unknown_retry_epoch for batch in batches],
        ATTEMPT_CAP,
    )
    return {row["batch_id"] for row in rows}


async def tally(conn: Connection, batch_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Of each batch, whether any were reached and any not: one stands for all of them."""
    if not batch_ids:
        return {}
    rows = await conn.fetch(Q.tally, batch_ids)
    return {row["batch_id"]: (int(row["completed"]), int(row["not_completed"])) for row in rows}


async def removable(
    conn: Connection, asked: Sequence[tuple[UUID, UUID]]
) -> dict[UUID, dict[UUID, bool]]:
    """Of each batch, who is there of those asked for, and whether nobody has called them."""
    found: dict[UUID, dict[UUID, bool]] = {}
    if asked:
        for row in await conn.fetch(Q.removable, *columns(asked, 2)):
            found.setdefault(row["batch_id"], {})[row["recipient_id"]] = row["removable"]
    return found


async def zones_of(conn: Connection, batch_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    if not batch_ids:
        return found
    for row in await conn.fetch(Q.zones_of, batch_ids):
        found.setdefault(row["batch_id"], []).append(row["zones"])
    return found


Open = Sequence[tuple[Batch, str]]
"""Batches, each with zones in which its window is open."""


async def candidates(
    conn: Connection, open_now: Open, *, at: datetime, most: Mapping[str, int]
) -> Mapping[UUID, list[Candidate]]:
    """Per batch those who may be called now, in their order: at most as many as its account may."""
    found: dict[UUID, list[Candidate]] = {}
    if not open_now:
        return found
    rows = await conn.fetch(
        Q.candidates,
        [batch.batch_id for batch, _ in open_now],
        [zones for _, zones in open_now],
        [batch.now.retry_epoch for batch, _ in open_now],
        [batch.now.unknown_retry_epoch for batch, _ in open_now],
        at,
        sorted({addition for batch, _ in open_now for addition in batch.incomplete}),
        [most[batch.created.account_id] for batch, _ in open_now],
        ATTEMPT_CAP,
    )
    for row in rows:
        found.setdefault(row["batch_id"], []).append(_candidate(row))
    return found


def _candidate(row: asyncpg.Record) -> Candidate:
    return Candidate(
        recipient_id=row["recipient_id"],
        sealed=row["sealed"],
        progress=progress_in(row),
        zones=row["zones"],
        from_number=row["from_number"],
        usable=row["usable"],
        earlier=tuple(EarlierCall.model_validate(call) for call in row["look_up_first"]),
    )


def progress_in(row: asyncpg.Record) -> Progress:
    return Progress(
        grant_no=row["grant_no"],
        stage=Stage(row["stage"]),
        epoch=row["epoch"],
        attempt=row["attempt"],
        run_attempt=row["run_attempt"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        ended_at=row["ended_at"],
    )


async def next_due(conn: Connection, open_now: Open, at: datetime) -> dict[UUID, datetime]:
    if not open_now:
        return {}
    batch_ids, zones = [batch.batch_id for batch, _ in open_now], [z for _, z in open_now]
    rows = await conn.fetch(Q.next_due, batch_ids, zones, at)
    return {row["batch_id"]: row["due_at"] for row in rows}
