"""What the log announced: the ledger may hold nothing beyond it."""

from uuid import UUID

from contracts.calls import CallPlacing
from contracts.topics import CALLS
from tests.heard import heard


def placings(kafka: str) -> dict[UUID, CallPlacing]:
    return {event.call_id: event for event in heard(kafka, CALLS) if isinstance(event, CallPlacing)}
