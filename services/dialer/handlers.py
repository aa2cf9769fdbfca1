"""What is read is folded and nothing else: no handler places, publishes or decides.

Calls are touched before gates, as everywhere here, so that no two transactions wait for each other.
"""

import json
from collections.abc import Sequence
from uuid import UUID

from chassis.postgres import Connection
from chassis.records import Received
from contracts.batches import BatchCreated, BatchDeleted
from contracts.calls import CallEvent, CallPlacing
from contracts.directory import SuppressionAdded, SuppressionEvent
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.status import BatchCancelled, BatchFailed, BatchPaused
from services.dialer.call import Call, further, told
from services.dialer.store import Q, columns, fold_calls, unheard_of

Closing = BatchPaused | BatchCancelled | BatchFailed | BatchDeleted


async def fold(conn: Connection, records: list[Received]) -> None:
    events = [record.event for record in records]
    await grants(conn, [r for r in records if isinstance(r.event, RecipientQueued)])
    await our_calls(conn, [e for e in events if isinstance(e, CallEvent)])
    await new_batches(conn, [e for e in events if isinstance(e, BatchCreated)])
    await closings(conn, [e for e in events if isinstance(e, Closing)])
    await our_gates(conn, [e for e in events if isinstance(e, BatchGateClosed)])
    await suppressions(conn, [e for e in events if isinstance(e, SuppressionEvent)])


def opens_work(event: Event) -> bool:
    """Whether there may be something to place, or to give back, once this is folded."""
    return isinstance(event, RecipientQueued | Closing | BatchCreated)


def looks_up(event: Event) -> bool:
    return isinstance(event, RecipientQueued) and bool(event.look_up_first)


def closes(event: Event) -> bool:
    return isinstance(event, Closing)


async def grants(conn: Connection, records: Sequence[Received]) -> None:
    rows: dict[UUID, tuple[object, ...]] = {}
    for record in records:
        event = record.event
        assert isinstance(event, RecipientQueued)  # noqa: S101 - chosen by type
        look_up_first = [
            earlier.model_dump(mode="json", exclude_none=True) for earlier in event.look_up_first
        ]
        rows[event.call_id] = (
            event.call_id, event.account_id, event.batch_id, event.recipient_id, event.grant_no,
            event.attempt, event.run_attempt, event.epoch, event.at, event.sealed, event.agent_id,
            event.from_number, event.place_before, event.max_duration_seconds,
            json.dumps(look_up_first) if look_up_first else None, record.traceparent,
        )  # fmt: skip
    if rows:
        await conn.execute(Q.fold_grants, *columns(list(rows.values())))


async def our_calls(conn: Connection, events: Sequence[CallEvent]) -> None:
    """Mostly an echo: what we know is asked first, and only what goes further is told."""
    news = await unheard_of(conn, events)
    seen: dict[UUID, Call] = {}
    for event in events:
        if event.call_id in news:
            seen[event.call_id] = further(seen.get(event.call_id), told(event))
    await fold_calls(conn, seen.values())
    placing = {e.call_id: e.at for e in events if isinstance(e, CallPlacing)}
    if placing:
        await conn.execute(Q.note_announcements, list(placing), list(placing.values()))


async def new_batches(conn: Connection, events: Sequence[BatchCreated]) -> None:
    if events:
        rows = sorted({(event.batch_id, event.account_id) for event in events})
        await conn.execute(Q.open_gates, *columns(rows))


async def closings(conn: Connection, events: Sequence[Closing]) -> None:
    gates: dict[UUID, tuple[str, int, bool]] = {}
    for event in events:
        epoch = 0 if isinstance(event, BatchDeleted) else event.epoch
        for_good = isinstance(event, BatchDeleted)
        _, through, ever = gates.get(event.batch_id, ("", 0, False))
        gates[event.batch_id] = (event.account_id, max(through, epoch), ever or for_good)
    if gates:
        await conn.execute(Q.raise_gates, *columns([(b, *gate) for b, gate in gates.items()]))


async def our_gates(conn: Connection, events: Sequence[BatchGateClosed]) -> None:
    gates: dict[UUID, tuple[str, int, bool, int]] = {}
    for event in events:  # of one key, so in their order
        _, through, ever, live = gates.get(event.batch_id, ("", 0, False, 0))
        gates[event.batch_id] = (
            event.account_id,
            max(through, event.through_epoch),
            ever or event.for_good,
            event.live if event.for_good else live,
        )
    if gates:
        await conn.execute(Q.fold_drained, *columns([(b, *gate) for b, gate in gates.items()]))


async def suppressions(conn: Connection, events: Sequence[SuppressionEvent]) -> None:
    newest: dict[tuple[str, str], SuppressionEvent] = {}
    for event in events:
        key = event.account_id, event.digest
        if key not in newest or newest[key].version < event.version:
            newest[key] = event
    if newest:
        rows: list[tuple[object, ...]] = [
            (account, digest, e.version, isinstance(e, SuppressionAdded), e.expires_at)
            for (account, digest), e in newest.items()
        ]
        await conn.execute(Q.fold_suppressions, *columns(rows))
