"""What is asked of batches, and what others say of them: each folded once, in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.batches import BatchCommand, BatchCreated, BatchDeleted, RecipientsAddRequested
from contracts.calendar import RECIPIENT
from contracts.gates import BatchGateClosed
from contracts.status import BatchActionRejected, BatchStatusEvent
from contracts.statuses import Action, BatchStatus
from services.ingest.domain.chunks import Uploaded
from services.ingest.domain.life import BatchGoneError, Outcome
from services.ingest.uploading import staged

Q = load_queries(__file__)

CHANNEL = "rollcall_life"


@dataclass(frozen=True, slots=True)
class AdditionTerms:
    """What a further addition goes by."""

    zoned: bool
    strict: bool
    additions: int
    last_row: int


async def lock(conn: Connection, batch_id: UUID, account_id: str) -> bool:
    """Whether it is deleted.  Raises BatchGoneError where the account never had it."""
    row = await conn.fetchrow(Q.lock_batch, batch_id, account_id)
    if row is None:
        raise BatchGoneError
    return bool(row["deleted"])


async def terms(conn: Connection, batch_id: UUID, account_id: str) -> AdditionTerms:
    """Raises BatchGoneError."""
    row = await conn.fetchrow(Q.terms, batch_id, account_id)
    if row is None:
        raise BatchGoneError
    return AdditionTerms(**dict(row))


async def keep_addition(
    conn: Connection, batch_id: UUID, uploaded: Uploaded, command_id: UUID
) -> None:
    """Raises UploadLostError."""
    await staged.finish_upload(conn, uploaded.upload_id)
    await conn.execute(
        Q.keep_addition,
        uploaded.addition_id,
        batch_id,
        uploaded.upload_id,
        uploaded.chunks,
        uploaded.rejection_chunks,
        uploaded.last_row,
        uploaded.list_id,
        command_id,
    )


async def outcome(conn: Connection, batch_id: UUID, command_id: UUID) -> Outcome:
    row = await conn.fetchrow(Q.outcome, batch_id, command_id)
    if row is None:
        raise BatchGoneError
    status = row["status"] or row["known_as"]
    return Outcome(
        sequence=row["sequence"],
        status=BatchStatus(status) if status else None,
        epoch=row["epoch"] or 0,
        refusal=row["refusal"],
        allowed_actions=tuple(map(Action, row["allowed_actions"] or ())),
        closed_through_epoch=row["closed_through_epoch"],
    )


async def fold_life(conn: Connection, commands: Sequence[BatchCommand]) -> None:
    """Of our own commands, what a restored database may lack."""
    if created := [event for event in commands if isinstance(event, BatchCreated)]:
        await conn.execute(
            Q.fold_terms,
            [event.batch_id for event in created],
            [event.window.timezone == RECIPIENT for event in created],
            [event.on_invalid == "reject" for event in created],
        )
    if deleted := [event.batch_id for event in commands if isinstance(event, BatchDeleted)]:
        await conn.execute(Q.fold_deleted, deleted)
    if asked := [event for event in commands if isinstance(event, RecipientsAddRequested)]:
        additions = [event.addition for event in asked]
        await conn.execute(
            Q.fold_asked_additions,
            [addition.addition_id for addition in additions],
            [event.batch_id for event in asked],
            [addition.chunks for addition in additions],
            [addition.rejection_chunks for addition in additions],
            [addition.last_row for addition in additions],
            [addition.list_id for addition in additions],
            [event.command_id for event in asked],
        )


async def fold_statuses(conn: Connection, events: Sequence[BatchStatusEvent]) -> None:
    verdicts = [event for event in events if event.command_id is not None]
    rejected = [event if isinstance(event, BatchActionRejected) else None for event in verdicts]
    await conn.execute(
        Q.fold_verdicts,
        [event.command_id for event in verdicts],
        [event.batch_id for event in verdicts],
        [event.sequence for event in verdicts],
        [event.status for event in verdicts],
        [event.epoch for event in verdicts],
        [(event.refusal or "action_not_allowed") if event else None for event in rejected],
        [",".join(event.allowed_actions) if event else "" for event in rejected],
    )
    await conn.execute(
        Q.fold_statuses,
        [event.batch_id for event in events],
        [event.account_id for event in events],
        [event.sequence for event in events],
        [event.status for event in events],
    )


async def fold_gates(conn: Connection, events: Sequence[BatchGateClosed]) -> None:
    told: dict[UUID, tuple[UUID, str, int, bool, int]] = {}
    for event in events:  # of one key, so in their order
        _, _, through, ever, live = told.get(event.batch_id, (event.batch_id, "", 0, False, 0))
        told[event.batch_id] = (
            event.batch_id,
            event.account_id,
            max(through, event.through_epoch),
            ever or event.for_good,
            event.live if event.for_good else live,
        )
    await conn.execute(Q.fold_gates, *map(list, zip(*told.values(), strict=True)))


async def follow_verdicts(conn: Connection, batch_ids: Sequence[UUID]) -> None:
    """Additions that were asked for, and answered."""
    for row in await conn.fetch(Q.follow_verdicts, batch_ids):
        if row["state"] == "refused":
            await staged.give_to_sweeper(conn, row["upload_id"])


async def tell(conn: Connection) -> None:
    """Whoever waits, in any instance, looks again once this is committed."""
    await conn.execute(Q.tell)
