"""A record as handlers see it: an event and its place in the log."""

import re
from typing import NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.codec import MalformedEventError, decode
from contracts.event import Event

_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TRACE = re.compile(rb"[0-9a-f-]{1,64}")


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
    if (ce_id and not _ID.fullmatch(ce_id)) or (traceparent and not _TRACE.fullmatch(traceparent)):
        raise MalformedEventError("ce_id or traceparent is not ours")
    return Received(
        event,
        record.topic.removeprefix(prefix),
        record.partition,
        record.offset,
        traceparent.decode() if traceparent else None,
        ce_id.decode() if ce_id else str(event.event_id),
    )
