"""What the log says, read on from where it was read to: no record is missed, none read twice."""

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.calls import CallCompleted, CallPlacing, CallReturned
from contracts.codec import decode
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.topics import CALLS, DISPATCH, Topic

TYPE = "ce_type"
WITHIN = 120.0
"""Seconds for a Kafka that has just been mended."""
WORDS = (CallPlacing, CallReturned, CallCompleted)
"""Of a dialer about a grant: one of them comes first."""


class Said:
    """The announcements, by call, and how many calls nobody could tell the end of.

    `unheard`: grants of which the dialers have said nothing yet, by call.
    """

    def __init__(self) -> None:
        self.announced: dict[UUID, CallPlacing] = {}
        self.unheard: dict[UUID, RecipientQueued] = {}
        self.unknown = 0
        self._early: set[UUID] = set()
        """Told of, their grants not yet read."""
        self._next: dict[TopicPartition, int] = {}

    def read_on(self, kafka: str) -> None:
        self.announced.clear()
        asyncio.run(asyncio.wait_for(self._read_on(kafka), WITHIN))

    async def _read_on(self, kafka: str) -> None:
        for event in await _events(kafka, DISPATCH, self._next, {"RecipientQueued"}):
            if isinstance(event, RecipientQueued):
                self.unheard[event.call_id] = event
        heard = self._early
        for event in await _events(kafka, CALLS, self._next, {word.__name__ for word in WORDS}):
            if isinstance(event, WORDS):
                heard.add(event.call_id)
            if isinstance(event, CallPlacing):
                self.announced[event.call_id] = event
            elif isinstance(event, CallCompleted):
                self.unknown += event.outcome is Outcome.UNKNOWN
        self._early = heard - self.unheard.keys()
        for call_id in heard:
            self.unheard.pop(call_id, None)


def everything(kafka: str, topics: Sequence[Topic]) -> list[Event]:
    """For a story: of all these topics, from the first event on."""

    async def read() -> list[Event]:
        return [event for topic in topics for event in await _events(kafka, topic, {}, ())]

    return asyncio.run(asyncio.wait_for(read(), WITHIN))


async def _events(
    kafka: str, topic: Topic, since: dict[TopicPartition, int], types: Collection[str]
) -> list[Event]:
    places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
    found: list[Event] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, since.get(place, 0))
        left = {place for place in places if ends[place] > since.get(place, 0)}
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=500)).items():
                found += [decode(r.value, r.headers) for r in records if _is_one(r, types)]
                if records[-1].offset + 1 >= ends[place]:
                    since[place] = records[-1].offset + 1
                    left.discard(place)
    return found


def _is_one(record: ConsumerRecord, types: Collection[str]) -> bool:
    name = dict(record.headers).get(TYPE, b"").decode()
    return not types or name.split(".")[1] in types
