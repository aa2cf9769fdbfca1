"""A record as handlers see it: an event and its place in the log."""

from typing import NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.codec import decode
from contracts.event import Event


class Received(NamedTuple):  # of all that is immutable, the quickest to make
    event: Event
    topic: str
    """Without the prefix."""
    partition: int
    offset: int
    traceparent: str | None
    ce_id: str

    @property
    def event_id(self) -> UUID:
        return UUID(self.ce_id)

    @property
    def batch_id(self) -> UUID | None:
        return getattr(self.event, "batch_id", None)


def received(record: ConsumerRecord, prefix: str = "") -> Received:
    """Raises UnknownEventError or MalformedEventError."""
    headers = dict(record.headers)
    event = decode(record.value, headers)
    ce_id, traceparent = headers.get("ce_id"), headers.get("traceparent")
    return Received(
        event,
        record.topic.removeprefix(prefix),
        record.partition,
        record.offset,
        traceparent and traceparent.decode(),
        ce_id.decode() if ce_id else str(event.event_id),
    )
