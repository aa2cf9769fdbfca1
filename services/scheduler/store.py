"""What the scheduler's rows say.  Every query has a name in queries.sql."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
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
from services.scheduler.domain.faults import AGENT_INACTIVE, NOT_OUTBOUND
from services.scheduler.domain.grants import Candidate

Q = load_queries(__file__)


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the arrays that unnest() takes."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


MOST_COMMANDS: Final = 500
MOST_DUE: Final = 500
"""Of one account in one decision; what is left is decided at once after it."""
MOST_REMEMBERED: Final = 10_000


class Creations:
    """What a batch was created as never changes: it is read once."""

    def __init__(self) -> None:
        self._known: dict[UUID, BatchCreated] = {}

    async def of(self, conn: Connection, batch_ids: Sequence[UUID]) -> Mapping[UUID, BatchCreated]:
        missing = [batch_id for batch_id in batch_ids if batch_id not in self._known]
        if missing:
            if len(self._known) + len(missing) > MOST_REMEMBERED:
                self._known.clear()
                missing = list(batch_ids)
            for row in await conn.fetch(Q.created_of, missing):
                self._known[row["batch_id"]] = BatchCreated.model_validate_json(row["created"])
        return self._known


@dataclass(frozen=True, slots=True)
class Woken:
    """An account as its decision begins."""

    account_id: str
    limit: int
    cause: str | None
    """The trace of what woke it."""
    asked: bool
    """Commands wait for their verdicts."""


@dataclass(frozen=True, slots=True)
class ToDecide:
    """Batches that may have something to do."""

    running: frozenset[UUID] = frozenset()
    due: frozenset[UUID] = frozenset()
    unfinished: frozenset[str] = frozenset()
    """Accounts of which more are due than are decided on together."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Commands to be answered, of each batch in their order."""

    of_batch: Mapping[UUID, Sequence[BatchCommand]] = field(default_factory=dict)
    unfinished: frozenset[str] = frozenset()
    """Accounts of which more wait."""


async def begin(conn: Connection, accounts: Sequence[str]) -> tuple[datetime, list[Woken]]:
    rows = await conn.fetch(Q.begin, accounts)
    woken = [
        Woken(row["account_id"], row["concurrency"] or 0, row["cause"], row["asked"])
        for row in rows
    ]
    return rows[0]["at"], woken


async def to_decide(conn: Connection, accounts: Sequence[str], at: datetime) -> ToDecide:
    rows = await conn.fetch(Q.to_decide, accounts, at, MOST_DUE)
    due = Counter(row["account_id"] for row in rows if row["due"])
    return ToDecide(
        running=frozenset(row["batch_id"] for row in rows if not row["due"]),
        due=frozenset(row["batch_id"] for row in rows if row["due"]),
        unfinished=frozenset(account for account, count in due.items() if count == MOST_DUE),
    )


async def pending(conn: Connection, accounts: Sequence[str]) -> Pending:
    if not accounts:
        return Pending()
    of_batch: dict[UUID, list[BatchCommand]] = {}
    count: Counter[str] = Counter()
    for row in await conn.fetch(Q.commands_to_answer, accounts, MOST_COMMANDS):
        command = EVENT_OF[row["type"]].model_validate_json(row["body"])
        assert isinstance(command, BatchCommand)  # noqa: S101 - only commands are kept there
        of_batch.setdefault(row["batch_id"], []).append(command)
        count[row["account_id"]] += 1
    return Pending(of_batch, frozenset(a for a, n in count.items() if n == MOST_COMMANDS))


@dataclass(frozen=True, slots=True)
class Loaded:
    batch: Batch
    granted_at: datetime | None


async def load_batches(
    conn: Connection, batch_ids: Collection[UUID], creations: Creations
) -> list[Loaded]:
    if not batch_ids:
        return []
    rows = await conn.fetch(Q.load_batches, list(batch_ids))
    created = await creations.of(conn, [row["batch_id"] for row in rows])
    return [Loaded(_batch(row, created[row["batch_id"]]), row["granted_at"]) for row in rows]


def _batch(row: asyncpg.Record, created: BatchCreated) -> Batch:
    fatal = (row["fatal_epoch"], row["fatal_detail"]) if row["fatal_epoch"] else None
    return Batch(
        created=created,
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
        unusable=AGENT_INACTIVE
        if row["agent_inactive"]
        else NOT_OUTBOUND
        if row["not_outbound"]
        else None,
    )


async def in_flight(conn: Connection, accounts: Sequence[str]) -> dict[str, dict[UUID, int]]:
    found: dict[str, dict[UUID, int]] = {}
    for row in await conn.fetch(Q.in_flight, accounts):
        found.setdefault(row["account_id"], {})[row["batch_id"]] = row["calls"]
    return found


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
