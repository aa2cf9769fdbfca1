"""The furthest evidence about a recipient is its progress, in whatever order it comes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.postgres import Connection
from contracts.batches import BatchCreated
from contracts.calls import CallCompleted, CallReturned, ReturnReason
from contracts.outcomes import Outcome
from contracts.progress import (
    Evidence,
    Progress,
    Rules,
    called_again_from,
    evolve,
    furthest_of_calls,
    furthest_of_recipients,
)
from services.scheduler.handlers.known import Known, hold
from services.scheduler.store import Q, columns, progress_in

_NOBODY = Progress()


async def fold_calls(conn: Connection, events: Sequence[Evidence]) -> None:
    if not events:
        return
    ends = [event for event in events if type(event) is CallCompleted]
    named = {event.batch_id for event in ends}
    known = await hold(conn, named) if named else {}
    if any(batch.created is None for batch in known.values()):
        await conn.execute(Q.note_early_ends, sorted(named))
    await _faults(conn, [event for event in events if type(event) is CallReturned])
    rows = [_row(event, known) for event in furthest_of_recipients(furthest_of_calls(events))]
    await conn.execute(Q.advance, *columns(rows, 12))
    await _unknowns(conn, ends)


def _row(event: Evidence, known: Mapping[UUID, Known]) -> tuple[Any, ...]:
    progress = evolve(_NOBODY, event)
    batch = known.get(event.batch_id)
    return (
        event.recipient_id,
        event.batch_id,
        event.account_id,
        progress.grant_no,
        int(progress.stage),
        progress.epoch,
        progress.attempt,
        progress.run_attempt,
        progress.outcome,
        progress.ended_at,
        progress.not_before,
        _retry_at(batch.created if batch else None, progress),
    )


def _retry_at(created: BatchCreated | None, progress: Progress) -> datetime | None:
    """By the batch's policy alone, which never changes; what a person asked for is looked up."""
    return called_again_from(progress, Rules(created.retry_policy)) if created else None


async def judge_ends(conn: Connection, created: Sequence[BatchCreated]) -> None:
    """Calls may be read before the batch they belong to: now its policy is known."""
    known = {batch.batch_id: batch for batch in created}
    rows = await conn.fetch(Q.early_ends, sorted(known))
    due = [
        (row["recipient_id"], _retry_at(known[row["batch_id"]], progress_in(row))) for row in rows
    ]
    if due:
        await conn.execute(Q.set_retry, *columns(due, 2))


async def _faults(conn: Connection, returned: Sequence[CallReturned]) -> None:
    fatal = {
        (event.batch_id, event.epoch, event.detail or ReturnReason.FATAL_FAULT)
        for event in returned
        if event.reason is ReturnReason.FATAL_FAULT
    }
    for fault in sorted(fatal):
        await conn.execute(Q.meet_fatal_fault, *fault)


async def _unknowns(conn: Connection, ends: Sequence[CallCompleted]) -> None:
    """An unknown call is kept until its true end comes, to be looked up before the next one."""
    lost = [event for event in ends if event.outcome is Outcome.UNKNOWN]
    if lost:
        rows = {e.call_id: (e.call_id, e.recipient_id, e.grant_no, e.requested_at) for e in lost}
        await conn.execute(Q.lose_sight, *columns(rows.values(), 4))
    settled = {e.call_id.int: e.call_id for e in ends if e.outcome is not Outcome.UNKNOWN}
    if settled:
        await conn.execute(Q.settle, [settled[number] for number in sorted(settled)])
