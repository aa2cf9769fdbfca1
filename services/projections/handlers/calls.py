"""How far each recipient and each call is, and what was said."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from chassis.postgres import Connection
from contracts.calls import CallCompleted, CallReturned, CallStarted
from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.progress import (
    Evidence,
    Progress,
    evolve,
    furthest_of_calls,
    furthest_of_recipients,
    stage_of,
)
from contracts.sealed import ConversationSecrets
from services.projections.handlers.rows import write
from services.projections.handlers.seals import Keys, seals_of
from services.projections.store import CALLS

_NOBODY = Progress()
_NOT_ENDED = (None,) * 8


async def fold_calls(conn: Connection, events: Sequence[Event]) -> None:
    # its topics hold nothing else, and asking each event for its type would cost the most here
    calls = furthest_of_calls(cast("Sequence[Evidence]", events))
    recipients = furthest_of_recipients(calls)
    if recipients:
        await write(conn, CALLS.fold_progress, [_progress(event) for event in recipients])
        batches = {event.batch_id for event in recipients}
        await conn.execute(CALLS.drop_empty_tallies, batches)
        await write(conn, CALLS.fold_calls, [_call(event) for event in calls])
        returned = {event.batch_id for event in calls if type(event) is CallReturned}
        if returned:
            await conn.execute(CALLS.drop_empty_paces, returned)


async def fold_conversations(conn: Connection, events: Sequence[Event], keys: Keys) -> None:
    recorded = cast("Sequence[ConversationRecorded]", events)
    await write(conn, CALLS.fold_conversations, await _conversations(recorded, keys))


def _progress(event: Evidence) -> tuple[Any, ...]:
    progress = evolve(_NOBODY, event)
    return (
        event.recipient_id,
        event.batch_id,
        progress.grant_no,
        progress.stage,
        progress.epoch,
        progress.attempt,
        progress.run_attempt,
        progress.outcome,
        progress.ended_at,
        progress.not_before,
    )


def _call(event: Evidence) -> tuple[Any, ...]:
    return (
        event.call_id,
        event.batch_id,
        event.recipient_id,
        event.grant_no,
        event.attempt,
        stage_of(event),
        None if isinstance(event, RecipientQueued) else event.requested_at,
        *_ending(event),
    )


def _ending(event: Evidence) -> tuple[Any, ...]:
    """From the carrier's id on."""
    match event:
        case CallCompleted():
            return (
                event.carrier_call_id,
                event.outcome,
                event.cause,
                event.started_at,
                event.answered_at,
                event.ended_at,
                event.duration_seconds,
                event.cost and event.cost.amount,
                event.cost and event.cost.currency,
            )
        case CallStarted():
            return (event.carrier_call_id, None, None, event.at, None, None, None, None, None)
        case _:
            return (None, *_NOT_ENDED)


async def _conversations(
    events: Sequence[ConversationRecorded], keys: Keys
) -> list[tuple[UUID, UUID, str | None]]:
    seals = await seals_of(keys, [event.batch_id for event in events])
    rows = {}
    for event in reversed(events):  # the first of a call stays
        seal = seals.get(event.batch_id)
        said = seal.open(event.sealed, ConversationSecrets) if seal is not None else None
        text = None if said is None else said.model_dump_json()
        rows[event.call_id] = event.call_id, event.batch_id, text
    return list(rows.values())
