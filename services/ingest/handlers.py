"""Folds only: our own topics, so that a database restored from a backup never reuses a number.

And what the others say of our batches: the verdicts on what was asked, and the gates that closed.
"""

from collections.abc import Sequence

from chassis.postgres import Connection
from chassis.records import Received
from contracts.batches import BatchCommand, BatchCreated, RecipientsAddRequested
from contracts.directory import DirectoryEvent, SuppressionEvent
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.status import BatchStatusEvent
from services.ingest import store
from services.ingest.life import store as life
from services.ingest.suppressions import store as suppressions

ANSWERS = (RecipientsAddRequested, BatchStatusEvent)
"""An addition and its verdict: either may be read first."""


async def fold(conn: Connection, records: Sequence[Received]) -> None:
    events = [record.event for record in records]
    if suppressed := [event for event in events if isinstance(event, SuppressionEvent)]:
        await suppressions.fold(conn, suppressed)
    entries = [event for event in events if isinstance(event, DirectoryEvent)]
    if others := [event for event in entries if not isinstance(event, SuppressionEvent)]:
        await store.fold_directory(conn, others)
    if commands := [event for event in events if isinstance(event, BatchCommand)]:
        await store.fold_commands(conn, commands)
        await life.fold_life(conn, commands)
    if created := [event for event in events if isinstance(event, BatchCreated)]:
        await store.fold_additions(conn, created)
    await _fold_others(conn, events)


async def _fold_others(conn: Connection, events: Sequence[Event]) -> None:
    statuses = [event for event in events if isinstance(event, BatchStatusEvent)]
    gates = [event for event in events if isinstance(event, BatchGateClosed)]
    if statuses:
        await life.fold_statuses(conn, statuses)
    if gates:
        await life.fold_gates(conn, gates)
    answered = {event.batch_id for event in events if isinstance(event, ANSWERS)}
    if answered:
        await life.follow_verdicts(conn, sorted(answered))
    if answered or gates:
        await life.tell(conn)
