"""The dialers' tables: every query stands in queries.sql, this gives it arrays and takes rows."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from chassis import outbox
from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.calls import CallEvent
from contracts.codec import encode
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.topics import topic_for
from services.dialer.call import Call, State, state_told

Q = load_queries(__file__)
Row = asyncpg.Record
WRITER = "dialer"

_AS_STORED = (
    "call_id",
    "account_id",
    "batch_id",
    "recipient_id",
    "grant_no",
    "attempt",
    "run_attempt",
    "epoch",
    "max_duration_seconds",
    "requested_at",
    "send_before",
    "announced_at",
    "carrier",
    "carrier_call_id",
    "started_at",
    "answered_at",
    "answered_by",
    "ended_at",
    "cause",
    "unknown_since",
    "next_check_at",
    "recorded",
)


def call_of(row: Row) -> Call:
    outcome = row["outcome"]
    return Call(
        **{name: row[name] for name in _AS_STORED},
        state=State[row["state"]],
        outcome=None if outcome is None else Outcome(outcome),
    )


async def unheard_of(conn: Connection, events: Sequence[CallEvent]) -> set[UUID]:
    """The calls of which these events may tell more than is here."""
    if not events:
        return set()
    asked = [(event.call_id, state_told(event).name) for event in events]
    return {row["call_id"] for row in await conn.fetch(Q.unheard_of, *columns(asked))}


async def fold_calls(conn: Connection, calls: Iterable[Call]) -> None:
    """Each call once."""
    rows = [
        (
            c.call_id, c.account_id, c.batch_id, c.recipient_id, c.grant_no, c.attempt,
            c.run_attempt, c.epoch, c.state.name, c.requested_at, c.send_before, c.announced_at,
            c.carrier, c.carrier_call_id, c.started_at, c.answered_at, c.ended_at, c.outcome,
            c.cause, c.unknown_since, c.next_check_at,
        )
        for c in calls
    ]  # fmt: skip
    if rows:
        await conn.execute(Q.fold_calls, *columns(rows))


async def save_calls(conn: Connection, calls: Iterable[Call]) -> None:
    """Each call once, locked by the caller."""
    rows = [
        (
            c.call_id, c.state.name, c.carrier, c.carrier_call_id, c.started_at, c.answered_at,
            c.answered_by, c.ended_at, c.outcome, c.cause, c.unknown_since, c.next_check_at,
            c.recorded,
        )
        for c in calls
    ]  # fmt: skip
    if rows:
        await conn.execute(Q.save_calls, *columns(rows))


def columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Rows as the arrays that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)]


async def say(conn: Connection, events: Sequence[tuple[Event, str | None]]) -> None:
    """Into the outbox, each with the trace of its call."""
    await outbox.put_encoded(
        conn,
        [
            (topic_for(event, writer=WRITER).name, encode(event, source=WRITER, traceparent=trace))
            for event, trace in events
        ],
    )


async def announce(conn: Connection, calls: Sequence[UUID]) -> set[UUID]:
    """The calls whose requests may leave."""
    return {row["call_id"] for row in await conn.fetch(Q.announce, calls)}


async def take_permits(conn: Connection, carrier: str, rate: float | None, wanted: int) -> int:
    """How many calls may be placed now."""
    if await conn.fetchval(Q.paused_for, carrier) is not None:
        return 0
    if rate is None:
        return wanted
    at_once = max(1.0, rate / 10)
    return int(await conn.fetchval(Q.take_permits, carrier, wanted, rate, at_once) or 0)


async def pause_carrier(conn: Connection, carrier: str, seconds: float) -> None:
    await conn.execute(Q.pause_carrier, carrier, timedelta(seconds=seconds))
