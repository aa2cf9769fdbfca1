"""Every event of a batch once, in the order of commits: who has seen a position misses none before.

The counters that make it so are locked to the end of the transaction, hence last of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from chassis.postgres import Connection
from contracts.batches import MOST_ATTEMPTS, BatchCommand, BatchCreated, BatchDeleted, BatchRenamed
from contracts.calls import CallCompleted, CallReturned, ReturnReason
from contracts.conversations import ConversationRecorded
from contracts.event import BatchEvent, Event
from contracts.progress import Evidence, stage_of
from contracts.topics import CALLS, CONVERSATIONS, DIRECTORY, DISPATCH, EVENT_OF
from services.projections.domain.told import facts_of
from services.projections.handlers.rows import write
from services.projections.handlers.seals import Keys, seals_of
from services.projections.history import Q

Told = tuple[Event, str]
"""An event and its id."""
Row = tuple[Any, ...]

_NAME: Mapping[type[Event], str] = MappingProxyType({kind: name for name, kind in EVENT_OF.items()})
_EVIDENCE = frozenset(DISPATCH.events + CALLS.events)
_SAID = frozenset(CONVERSATIONS.events)
_NO_BATCH = frozenset(DIRECTORY.events)


async def fold_timeline(
    conn: Connection, told: Sequence[Told], deletions: Sequence[BatchDeleted], keys: Keys
) -> None:
    """`told` is of batches that live; the followers of the others hear that they are gone."""
    entries: dict[int, int] = {}  # of each batch; a UUID itself is slow to look up
    batches: dict[int, tuple[UUID, str, bool]] = {
        event.batch_id.int: (event.batch_id, event.account_id, True) for event in deletions
    }
    rows: list[Row] = []
    for event, event_id in told:
        if type(event) in _NO_BATCH:
            continue
        batch_id: UUID = event.batch_id  # type: ignore[attr-defined]
        number = batch_id.int
        nth = entries.get(number, 0) + 1
        if nth == 1:
            batches[number] = batch_id, event.account_id, False
        entries[number] = nth
        rows.append((batch_id, nth, event.at, event_id, *_entry(event)))
    commands = [event for event, _ in told if isinstance(event, BatchCommand)]
    await write(conn, Q.fold_commands, await _commands(commands, keys))
    if rows:
        counted = [batches[number][0] for number in entries]
        await conn.execute(Q.told)
        await conn.copy_records_to_table("told", records=rows)
        await conn.execute(Q.fold_timeline, counted, list(entries.values()))
    await write(conn, Q.fold_changes, list(batches.values()))


def deletions_in(events: Iterable[Event]) -> list[BatchDeleted]:
    return [event for event in events if type(event) is BatchDeleted]


def _entry(event: Event) -> Row:
    """From the type on."""
    kind = type(event)
    if kind in _EVIDENCE:
        return _evidence(cast("Evidence", event))
    if kind in _SAID:
        said = cast("ConversationRecorded", event)
        ids = said.recipient_id, said.call_id, said.grant_no
        return _NAME[kind], None, *ids, None, None, None, None, None, None, None
    told = cast("BatchEvent", event)
    actor = event.actor if isinstance(event, BatchCommand) else None
    recipient_id = getattr(event, "recipient_id", None)
    nothing = (None,) * 8
    return _NAME[kind], actor, recipient_id, *nothing, facts_of(told)


def _evidence(event: Evidence) -> Row:
    kind = type(event)
    run_attempt, outcome, cause = event.run_attempt, None, None
    if kind is CallCompleted:
        completed = cast("CallCompleted", event)
        outcome, cause = completed.outcome, completed.cause
        run_attempt = MOST_ATTEMPTS if completed.late else run_attempt
    elif kind is CallReturned:
        cause = _why_returned(cast("CallReturned", event))
        run_attempt -= 1
    return (
        _NAME[kind],
        None,
        event.recipient_id,
        event.call_id,
        event.grant_no,
        event.attempt,
        run_attempt,
        event.epoch,
        stage_of(event),
        outcome,
        cause,
        None,
    )


def _why_returned(event: CallReturned) -> str:
    fatal = event.reason is ReturnReason.FATAL_FAULT
    return event.detail if fatal and event.detail else event.reason


async def _commands(events: Sequence[BatchCommand], keys: Keys) -> list[Row]:
    named = [event for event in events if isinstance(event, BatchCreated | BatchRenamed)]
    seals = await seals_of(keys, [event.batch_id for event in named])
    names = {
        event.command_id: seal.text(event.name)
        for event in named
        if (seal := seals.get(event.batch_id)) is not None
    }
    return [
        (
            event.command_id,
            event.batch_id,
            event.command_no,
            event.at,
            event.actor,
            names.get(event.command_id),
        )
        for event in events
    ]
