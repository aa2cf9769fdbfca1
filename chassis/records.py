"""A record as handlers see it: an event and its place in the log."""

from dataclasses import dataclass
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.codec import decode
from contracts.event import Event


@dataclass(frozen=True, slots=True)
class Received:
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
    event = decode(record.value, record.headers)
    ce_id = traceparent = None
    for name, value in record.headers:
        if name == "ce_id":
            ce_id = value.decode()
        elif name == "traceparent":
            traceparent = value.decode()
    return Received(
        event,
        record.topic.removeprefix(prefix),
        record.partition,
        record.offset,
        traceparent,
        ce_id or str(event.event_id),
    )
