"""What was committed is published, in order per key; a row goes only when the broker has it.

Rows are read and deleted, never remembered by their highest id: the order of ids is not the order
of commits.  Events of one key are put under the lock that guards what they tell of, which puts
their ids in order.
"""

import json
from collections.abc import Sequence

from chassis.postgres import Connection
from chassis.queries import load_queries
from chassis.telemetry import current_traceparent
from chassis.topics import MAX_MESSAGE_BYTES
from contracts.codec import Encoded, encode
from contracts.event import Event
from contracts.topics import topic_for

Q = load_queries(__file__)

MOST_BYTES = MAX_MESSAGE_BYTES - 16 * 1024
"""Of a record with its headers; the rest is the broker's own framing."""


class TooLargeError(ValueError):
    """The broker would never take it, and all that waits behind it would never leave."""


async def put(
    conn: Connection, events: Sequence[Event], *, writer: str, traceparent: str | None = None
) -> None:
    """Adds events to the caller's transaction.  Raises NotTheWriterError for another's topic.

    Wake the relay after the commit; without that they leave with its next look, within a second.
    """
    trace = traceparent or current_traceparent()
    await put_encoded(
        conn,
        [
            (topic_for(event, writer=writer).name, encode(event, source=writer, traceparent=trace))
            for event in events
        ],
    )


async def put_encoded(conn: Connection, records: Sequence[tuple[str, Encoded]]) -> None:
    """As `put`, for records that are no events of ours (dead letters).  Raises TooLargeError."""
    if not records:
        return
    for topic, record in records:
        if _size(record) > MOST_BYTES:
            raise TooLargeError(f"{_size(record)} bytes for {topic}, which takes {MOST_BYTES}")
    await conn.execute(
        Q.put,
        [topic for topic, _ in records],
        [record.key for _, record in records],
        [record.value for _, record in records],
        [json.dumps([[k, v.decode()] for k, v in record.headers]) for _, record in records],
    )


def _size(record: Encoded) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key) + len(record.value) + headers
