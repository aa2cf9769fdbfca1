"""Folds only: our own topics, so that a database restored from a backup never reuses a number."""

from collections.abc import Sequence

from chassis.postgres import Connection
from chassis.records import Received
from contracts.batches import BatchCommand, BatchCreated
from contracts.directory import DirectoryEvent, SuppressionEvent
from services.ingest import store
from services.ingest.suppressions import store as suppressions


async def fold(conn: Connection, records: Sequence[Received]) -> None:
    events = [record.event for record in records]
    if suppressed := [event for event in events if isinstance(event, SuppressionEvent)]:
        await suppressions.fold(conn, suppressed)
    entries = [event for event in events if isinstance(event, DirectoryEvent)]
    if others := [event for event in entries if not isinstance(event, SuppressionEvent)]:
        await store.fold_directory(conn, others)
    if commands := [event for event in events if isinstance(event, BatchCommand)]:
        await store.fold_commands(conn, commands)
    if created := [event for event in events if isinstance(event, BatchCreated)]:
        await store.fold_additions(conn, created)
