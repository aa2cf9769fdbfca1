"""What the scheduler's rows say.  Every query has a name in queries.sql."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.batches import BatchCommand, BatchCreated
from contracts.dispatch import EarlierCall
from contracts.outcomes import Outcome
from contracts.progress import ATTEMPT_CAP, Progress, Stage
from contracts.statuses import BatchStatus, Result
from contracts.topics import EVENT_OF
from services.scheduler.domain.batch import Batch, Status
from services.scheduler.domain.grants import Candidate

Q = load_queries(__file__)


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the arrays that unnest() takes."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A batch to decide on, with what is pending and what only rows know."""

    batch: Batch
    commands: tuple[BatchCommand, ...]
    quarantined: bool
    granted_at: datetime | None


async def load_batches(conn: Connection, account_id: str) -> list[Loaded]:
    rows = await conn.fetch(Q.batches_to_decide, account_id)
    pending: dict[UUID, list[BatchCommand]] = {}
    for row in await conn.fetch(Q.commands_of_account, account_id):
        command = EVENT_OF[row["type"]].model_validate_json(row["body"])
        assert isinstance(command, BatchCommand)  # noqa: S101 - only commands are kept there
        pending.setdefault(row["batch_id"], []).append(command)
    return [
        Loaded(
            batch=_batch(row),
            commands=tuple(pending.get(row["batch_id"], ())),
            quarantined=row["quarantined"],
            granted_at=row["granted_at"],
        )
        for row in rows
    ]


def _batch(row: asyncpg.Record) -> Batch:
    fatal = (row["fatal_epoch"], row["fatal_detail"]) if row["fatal_epoch"] else None
    return Batch(
        created=BatchCreated.model_validate_json(row["created"]),
        now=Status(
            status=BatchStatus(row["status"]) if row["status"] else None,
            sequence=row["sequence"],
            epoch=row["epoch"],
            retry_epoch=row["retry_epoch"],
            unknown_retry_epoch=row["unknown_retry_epoch"],
            command_no=row["answered_no"],
            result=Result(row["result"]) if row["result"] else None,
            reason_code=row["reason_code"],
            reason=row["reason"],
            scheduled_at=row["scheduled_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            expires_at=row["expires_at"],
        ),
        deleted=row["deleted"],
        landed=row["landed"],
        incomplete=frozenset(row["incomplete"]),
        import_failed=row["import_failed"],
        fault=fatal,
    )


async def in_flight(conn: Connection, account_id: str) -> dict[UUID, int]:
    rows = await conn.fetch(Q.in_flight, account_id)
    return {row["batch_id"]: row["calls"] for row in rows}


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
    """Of each batch, how many were reached and how many not."""
    if not batch_ids:
        return {}
    rows = await conn.fetch(Q.tally, batch_ids)
    return {row["batch_id"]: (row["completed"], row["not_completed"]) for row in rows}


async def removable(conn: Connection, recipient_ids: Sequence[UUID]) -> frozenset[UUID]:
    if not recipient_ids:
        return frozenset()
    return frozenset(row["recipient_id"] for row in await conn.fetch(Q.removable, recipient_ids))


async def zones_of(conn: Connection, batch_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    for row in await conn.fetch(Q.zones_of, batch_ids):
        found.setdefault(row["batch_id"], []).append(row["zones"])
    return found


Open = Sequence[tuple[Batch, str]]
"""Batches, each with zones in which its window is open."""


async def candidates(
    conn: Connection, open_now: Open, *, at: datetime, most: int
) -> Mapping[UUID, list[Candidate]]:
    """Per batch, at most so many of those who may be called now, in their order."""
    found: dict[UUID, list[Candidate]] = {}
    if not open_now or not most:
        return found
    rows = await conn.fetch(
        Q.candidates,
        [batch.batch_id for batch, _ in open_now],
        [zones for _, zones in open_now],
        [batch.now.retry_epoch for batch, _ in open_now],
        [batch.now.unknown_retry_epoch for batch, _ in open_now],
        at,
        sorted({addition for batch, _ in open_now for addition in batch.incomplete}),
        most,
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


async def next_due(conn: Connection, open_now: Open, at: datetime) -> datetime | None:
    if not open_now:
        return None
    due: datetime | None = await conn.fetchval(
        Q.next_due, [batch.batch_id for batch, _ in open_now], [z for _, z in open_now], at
    )
    return due
