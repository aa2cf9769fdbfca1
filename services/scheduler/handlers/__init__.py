"""Folds the log, in any order and with any repeats, to the same rows; never decides.

The scheduler's own events pass here twice: when they are decided, and when they are read.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, cast
from uuid import UUID

from chassis.postgres import Connection
from chassis.records import Received
from contracts.batches import BatchCommand
from contracts.calls import CallCompleted, CallEvent, CallReturned
from contracts.directory import AccountConfigured
from contracts.event import Event
from contracts.progress import Evidence
from contracts.recipients import RecipientsAdded
from contracts.status import BatchStatusEvent
from contracts.topics import BATCH_STATUS, BATCHES, CALLS, DIRECTORY, DISPATCH, RECIPIENTS, by_topic
from services.scheduler.handlers.calls import fold_calls
from services.scheduler.handlers.chunks import fold_chunks
from services.scheduler.handlers.commands import fold_commands
from services.scheduler.handlers.directory import CONCERNS, fold_directory
from services.scheduler.handlers.statuses import fold_statuses
from services.scheduler.store import Q, columns

CAUSE: Final = frozenset({*CONCERNS, *BATCHES.events, RecipientsAdded, CallCompleted, CallReturned})
"""What may call for a decision."""
OF_ALL: Final = CONCERNS - {AccountConfigured}
"""It may matter to any batch of the account, also to one that naps."""


async def fold(conn: Connection, records: list[Received]) -> None:
    """What the inbox applies: the events, and a wake for every account they may matter to."""
    await apply(conn, [record.event for record in records])
    causes = {_whom(r.event): r.traceparent for r in records if type(r.event) in CAUSE}
    if causes:
        rows = [(*whom, traceparent) for whom, traceparent in causes.items()]
        await conn.execute(Q.wake, *columns(rows, 4))


async def taken_up(conn: Connection, batch_id: UUID) -> None:
    """A batch that was set aside goes on: what woke us for it meanwhile was for nothing."""
    await conn.execute(Q.wake_batch, batch_id)


def _whom(event: Event) -> tuple[str, UUID | None, bool]:
    return event.account_id, getattr(event, "batch_id", None), type(event) in OF_ALL


async def apply(conn: Connection, events: Sequence[Event]) -> None:
    """The one way in which state changes.  Batches before recipients, always: no deadlocks."""
    told = by_topic(events)  # the topics say what an event is; to ask each for its kind is slow
    commands = cast("list[BatchCommand]", told[BATCHES.name])
    statuses = cast("list[BatchStatusEvent]", told[BATCH_STATUS.name])
    chunks = [event for event in told[RECIPIENTS.name] if type(event) is RecipientsAdded]
    # A slot is taken from its grant to its end: what a call does in between changes nothing here.
    ends = [event for event in told[CALLS.name] if type(event) in {CallCompleted, CallReturned}]
    over = cast("list[CallEvent]", ends)
    calls = [*cast("list[Evidence]", told[DISPATCH.name]), *over]
    of_batches: Iterable[BatchCommand | BatchStatusEvent | RecipientsAdded | CallEvent] = chain(
        commands, statuses, chunks, over
    )
    batches = {event.batch_id: event.account_id for event in of_batches}
    if batches:
        await conn.execute(Q.know_batches, list(batches), list(batches.values()))
    await fold_directory(conn, told[DIRECTORY.name])
    await fold_commands(conn, commands)
    await fold_statuses(conn, statuses)
    await fold_chunks(conn, chunks)
    await fold_calls(conn, calls)
