"""What a decision begins with: what woke it, who may have something to do, what was asked."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Connection
from contracts.batches import BatchCommand, BatchCreated
from contracts.statuses import BatchStatus, Result
from contracts.topics import EVENT_OF
from services.scheduler.domain.batch import Batch, Status
from services.scheduler.domain.faults import AGENT_INACTIVE, NOT_OUTBOUND
from services.scheduler.store import Q

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


Calls = Mapping[UUID, int]
"""Per batch, how many are in flight."""


@dataclass(frozen=True, slots=True)
class Woken:
    """An account as its decision begins."""

    account_id: str
    limit: int
    cause: str | None
    """The trace of what woke it."""
    asked: bool
    """Commands wait for their verdicts."""
    calls: Calls


@dataclass(frozen=True, slots=True)
class Pending:
    """Commands to be answered, of each batch in their order."""

    of_batch: Mapping[UUID, Sequence[BatchCommand]] = field(default_factory=dict)
    unfinished: frozenset[str] = frozenset()
    """Accounts of which more wait."""


async def begin(conn: Connection, accounts: Sequence[str]) -> tuple[datetime, list[Woken]]:
    rows = await conn.fetch(Q.begin, accounts)
    return rows[0]["at"], [
        Woken(
            account_id=row["account_id"],
            limit=row["concurrency"] or 0,
            cause=row["cause"],
            asked=row["asked"],
            calls={UUID(batch_id): calls for batch_id, calls in row["calls"].items()},
        )
        for row in rows
    ]


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
    due: bool
    """Its instant has come."""


async def load_batches(
    conn: Connection,
    accounts: Sequence[str],
    at: datetime,
    asked: Collection[UUID],
    creations: Creations,
) -> list[Loaded]:
    """Those that may have something to do, and those that something is asked of."""
    rows = await conn.fetch(Q.load_batches, accounts, at, MOST_DUE, list(asked))
    created = await creations.of(conn, [row["batch_id"] for row in rows])
    return [
        Loaded(_batch(row, created[row["batch_id"]]), row["granted_at"], row["due"]) for row in rows
    ]


def unfinished(loaded: Iterable[Loaded]) -> set[str]:
    """Accounts of which more may be due than are decided on together."""
    due = Counter(it.batch.account_id for it in loaded if it.due)
    return {account_id for account_id, count in due.items() if count >= MOST_DUE}


def _batch(row: asyncpg.Record, created: BatchCreated) -> Batch:
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
        fault=(row["fatal_epoch"], row["fatal_detail"]) if row["fatal_epoch"] else None,
        unusable=_out_of_use(row),
    )


def _out_of_use(row: asyncpg.Record) -> str | None:
    if row["agent_inactive"]:
        return AGENT_INACTIVE
    return NOT_OUTBOUND if row["not_outbound"] else None
