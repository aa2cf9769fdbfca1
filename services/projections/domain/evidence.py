"""Of what a poll says about a batch only the newest counts, and no command may be missing."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from contracts.batches import BatchCommand
from contracts.status import (
    BatchPaused,
    BatchResumed,
    BatchRetried,
    BatchStarted,
    BatchStatusEvent,
)

TURNS: Final = (BatchStarted, BatchPaused, BatchResumed, BatchRetried)
"""What sets a batch going or holds it."""


class CommandGapError(Exception):
    """A batch's command is missing from the log: what follows it cannot be trusted."""


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
