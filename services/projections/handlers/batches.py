"""Batches: what was asked, what became of it, and whether the dialers have gone quiet."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from chassis.postgres import Connection
from contracts.batches import (
    Addition,
    BatchCommand,
    BatchCreated,
    BatchRenamed,
    RecipientsAddRequested,
)
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.sealed import Seal
from contracts.status import (
    BatchCompleted,
    BatchStatusEvent,
    RecipientRemoved,
    RecipientsAddAccepted,
)
from services.projections.domain.batch import Created, State
from services.projections.domain.evidence import TURNS, fresh_commands, newest_statuses
from services.projections.handlers.rows import write
from services.projections.handlers.seals import Keys, seals_of
from services.projections.store import FOLDS

AdditionRow = tuple[UUID, UUID, int | None, int | None, int | None, bool]
StateRow = tuple[UUID, str, int, str, int, int, datetime | None, int | None]


async def fold_batches(conn: Connection, events: Sequence[Event], keys: Keys) -> None:
    commands = await _fresh(conn, [event for event in events if isinstance(event, BatchCommand)])
    statuses = [event for event in events if isinstance(event, BatchStatusEvent)]
    gates = [event for event in events if isinstance(event, BatchGateClosed)]
    await _fold_commands(conn, commands, keys)
    await write(conn, FOLDS.fold_states, _states(statuses))
    await _fold_gates(conn, gates)
    await write(conn, FOLDS.fold_additions, _additions([*commands, *statuses]))
    removed = {
        event.recipient_id: event.batch_id
        for event in statuses
        if isinstance(event, RecipientRemoved)
    }
    await write(conn, FOLDS.fold_removals, list(removed.items()))


async def _fresh(conn: Connection, commands: Sequence[BatchCommand]) -> list[BatchCommand]:
    if not commands:
        return []
    batches = {command.batch_id for command in commands}
    rows = await conn.fetch(FOLDS.known_commands, batches)
    return fresh_commands(commands, {row["batch_id"]: row["command_no"] for row in rows})


async def _fold_commands(conn: Connection, commands: Sequence[BatchCommand], keys: Keys) -> None:
    last = {command.batch_id: command for command in commands}
    created = {event.batch_id: event for event in commands if isinstance(event, BatchCreated)}
    named = {
        event.batch_id: event.name
        for event in commands
        if isinstance(event, BatchCreated | BatchRenamed)
    }
    seals = await seals_of(keys, named)
    rows = [
        (
            batch_id,
            command.account_id,
            command.command_no,
            created[batch_id].at if batch_id in created else None,
            _created(created.get(batch_id)),
            _opened(seals.get(batch_id), named.get(batch_id)),
        )
        for batch_id, command in last.items()
    ]
    await write(conn, FOLDS.fold_commands, rows)


def _created(event: BatchCreated | None) -> str | None:
    if event is None:
        return None
    return Created.model_validate(event, from_attributes=True).model_dump_json()


def _opened(seal: Seal | None, sealed: str | None) -> str | None:
    return seal.text(sealed) if seal is not None and sealed is not None else None


def _states(events: Sequence[BatchStatusEvent]) -> list[StateRow]:
    expired: dict[UUID, int] = {}
    for event in events:
        if isinstance(event, BatchCompleted) and event.expired:
            expired[event.batch_id] = max(event.epoch, expired.get(event.batch_id, -1))
    turns = newest_statuses(event for event in events if isinstance(event, TURNS))
    turned = {event.batch_id: (event.sequence, event.at, event.command_no) for event in turns}
    return [
        (
            event.batch_id,
            event.account_id,
            event.sequence,
            State.model_validate(event, from_attributes=True).model_dump_json(),
            expired.get(event.batch_id, -1),
            *turned.get(event.batch_id, (0, None, None)),
        )
        for event in newest_statuses(events)
    ]


async def _fold_gates(conn: Connection, events: Sequence[BatchGateClosed]) -> None:
    through: dict[UUID, int] = {}
    for event in events:
        through[event.batch_id] = max(event.through_epoch, through.get(event.batch_id, -1))
    accounts = {event.batch_id: event.account_id for event in events}
    await write(
        conn,
        FOLDS.fold_gates,
        [(batch, accounts[batch], epoch) for batch, epoch in through.items()],
    )


def _additions(events: Iterable[Event]) -> list[AdditionRow]:
    """Asked for and accepted in one poll is one row."""
    rows: dict[UUID, AdditionRow] = {}
    for event in events:
        match event:
            case BatchCreated() | RecipientsAddRequested():
                first = isinstance(event, BatchCreated)
                row = _asked(event.batch_id, event.addition, accepted=first)
                rows[event.addition.addition_id] = row
            case RecipientsAddAccepted():
                empty = (event.addition_id, event.batch_id, None, None, None, False)
                rows[event.addition_id] = (*rows.get(event.addition_id, empty)[:5], True)
            case _:
                pass
    return list(rows.values())


def _asked(batch_id: UUID, addition: Addition, *, accepted: bool) -> AdditionRow:
    return (
        addition.addition_id,
        batch_id,
        addition.chunks,
        addition.recipients,
        addition.rejected,
        accepted,
    )
