"""Folds the log, in any order and with any repeats, to the same rows; never decides.

The scheduler's own events pass here twice: when they are decided, and when they are read.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from chassis.postgres import Connection
from chassis.records import Received
from contracts.batches import BatchCommand
from contracts.calls import CallCompleted, CallEvent, CallReturned
from contracts.directory import AccountConfigured
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.recipients import RecipientsAdded
from contracts.status import BatchStatusEvent
from services.scheduler.handlers.calls import fold_calls
from services.scheduler.handlers.chunks import fold_chunks
from services.scheduler.handlers.commands import fold_commands
from services.scheduler.handlers.statuses import fold_statuses
from services.scheduler.store import Q

E = TypeVar("E", bound=Event)

CAUSE: Final = (AccountConfigured, BatchCommand, RecipientsAdded, CallCompleted, CallReturned)
"""What may call for a decision."""


async def fold(conn: Connection, records: list[Received]) -> None:
    """What the inbox applies: the events, and a wake for every account they may matter to."""
    await refold(conn, records)
    causes = {r.event.account_id: r.traceparent for r in records if isinstance(r.event, CAUSE)}
    if causes:
        await conn.execute(Q.wake, list(causes), list(causes.values()))


async def refold(conn: Connection, records: list[Received]) -> None:
    """What a rebuild applies: nobody is woken."""
    await apply(conn, [record.event for record in records])


async def apply(conn: Connection, events: Sequence[Event]) -> None:
    """The one way in which state changes.  Batches before recipients, always: no deadlocks."""
    batches = _batches(events)
    if batches:
        await conn.execute(Q.know_batches, list(batches), list(batches.values()))
    for account in _of(events, AccountConfigured):
        await conn.execute(
            Q.configure_account, account.account_id, account.concurrency, account.version
        )
    await fold_commands(conn, _of(events, BatchCommand))
    await fold_statuses(conn, _of(events, BatchStatusEvent))
    await fold_chunks(conn, _of(events, RecipientsAdded))
    await fold_calls(conn, [e for e in events if isinstance(e, RecipientQueued | CallEvent)])


def _of(events: Sequence[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def _batches(events: Sequence[Event]) -> dict[object, str]:
    """The batches that rows are derived from, in the order they are locked in."""
    kinds = BatchCommand | BatchStatusEvent | RecipientsAdded | CallCompleted | CallReturned
    known = {event.batch_id: event.account_id for event in events if isinstance(event, kinds)}
    return {batch_id: known[batch_id] for batch_id in sorted(known)}
