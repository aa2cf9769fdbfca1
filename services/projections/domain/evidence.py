"""Of what a poll says about a recipient or a call only the furthest counts: one row each.

Of two events at the same place the first wins, here as in the tables: they come from one key of one
topic, whose order never changes.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from uuid import UUID

from contracts.batches import BatchCommand
from contracts.calls import CallEvent
from contracts.dispatch import RecipientQueued
from contracts.progress import Stage, stage_of
from contracts.status import BatchStatusEvent

Evidence: TypeAlias = RecipientQueued | CallEvent


class CommandGapError(Exception):
    """A batch's command is missing from the log: what follows it cannot be trusted."""


Furthest: TypeAlias = dict[int, tuple[tuple[int, Stage], Evidence]]
"""By the id's number: a UUID itself is slow to look up, and this is the hottest loop there is."""


def furthest(evidence: Iterable[Evidence]) -> tuple[list[Evidence], list[Evidence]]:
    """What is known at last of each recipient, and of each call."""
    recipients: Furthest = {}
    calls: Furthest = {}
    for event in evidence:
        place = event.grant_no, stage_of(event)
        recipient, call = event.recipient_id.int, event.call_id.int
        if recipient not in recipients or recipients[recipient][0] < place:
            recipients[recipient] = place, event
        if call not in calls or calls[call][0] < place:
            calls[call] = place, event
    return [event for _, event in recipients.values()], [event for _, event in calls.values()]


def fresh_commands(
    commands: Iterable[BatchCommand], known: Mapping[UUID, int]
) -> list[BatchCommand]:
    """The commands not yet applied, each of which must be the next of its batch."""
    latest = dict(known)
    fresh = []
    for command in commands:
        last = latest.get(command.batch_id, 0)
        if command.command_no <= last:
            continue
        if command.command_no > last + 1:
            raise CommandGapError(f"command {last + 1} is missing before {command.command_no}")
        latest[command.batch_id] = command.command_no
        fresh.append(command)
    return fresh


def newest_statuses(events: Iterable[BatchStatusEvent]) -> list[BatchStatusEvent]:
    newest: dict[UUID, BatchStatusEvent] = {}
    for event in events:
        known = newest.get(event.batch_id)
        if known is None or known.sequence < event.sequence:
            newest[event.batch_id] = event
    return list(newest.values())
