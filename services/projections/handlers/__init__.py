"""Folds a poll into the read model, in a few statements however long it is; it decides nothing.

Equal whatever the interleaving of the topics: each table is written by the number that its events
carry, and rows may come in parts.
"""

from collections.abc import Sequence

from chassis.postgres import Connection
from chassis.records import Received
from contracts.event import Event
from contracts.topics import (
    BATCH_STATUS,
    BATCHES,
    CALLS,
    CONVERSATIONS,
    DIRECTORY,
    DISPATCH,
    GATES,
    RECIPIENTS,
    by_topic,
)
from services.projections.handlers.batches import fold_batches
from services.projections.handlers.calls import fold_calls, fold_conversations
from services.projections.handlers.directory import fold_directory
from services.projections.handlers.endings import fold_endings
from services.projections.handlers.names import fold_names
from services.projections.handlers.recipients import fold_recipients
from services.projections.handlers.seals import Keys
from services.projections.handlers.timeline import deletions_in, fold_timeline
from services.projections.handlers.tombstones import living


async def fold(conn: Connection, records: Sequence[Received], *, keys: Keys) -> None:
    """What the inbox calls, within its transaction."""
    events, ids = [record.event for record in records], [record.ce_id for record in records]
    await fold_events(conn, events, keys=keys, ids=ids)


async def fold_events(
    conn: Connection, events: Sequence[Event], *, keys: Keys, ids: Sequence[str] | None = None
) -> None:
    """`ids`: the events', where they are at hand; they are derived, and that takes a while."""
    alive = await living(conn, events)
    told = by_topic(alive)
    await fold_directory(conn, told[DIRECTORY.name])
    commands, statuses, gates = (told[topic.name] for topic in (BATCHES, BATCH_STATUS, GATES))
    await fold_batches(conn, [*commands, *statuses, *gates], keys)
    await fold_names(conn, commands, keys)
    await fold_recipients(conn, told[RECIPIENTS.name], keys)
    evidence = [*told[DISPATCH.name], *told[CALLS.name]]
    await fold_calls(conn, evidence)
    await fold_conversations(conn, told[CONVERSATIONS.name], keys)
    await fold_endings(conn, [*commands, *statuses, *evidence])
    await fold_timeline(conn, _identified(events, ids, alive), deletions_in(events), keys)


def _identified(
    events: Sequence[Event], ids: Sequence[str] | None, alive: Sequence[Event]
) -> list[tuple[Event, str]]:
    if ids is None:
        return [(event, str(event.event_id)) for event in alive]
    if len(alive) == len(events):
        return list(zip(events, ids, strict=True))
    kept = {id(event) for event in alive}
    return [(event, name) for event, name in zip(events, ids, strict=True) if id(event) in kept]
