"""The same fold, from the first event: no offsets kept, nothing decided, nothing published."""

from collections.abc import Iterator, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.apply import Fold
from chassis.postgres import Connection
from chassis.records import Received, received
from contracts.codec import MalformedEventError, UnknownEventError
from contracts.topics import Topic

log = structlog.get_logger()

MOST = 5000
Place = tuple[str, int]
"""Topic (without the prefix) and partition."""


async def replay(
    kafka: str,
    prefix: str,
    topics: Sequence[Topic],
    upto: Mapping[Place, int] | None,
    fold: Fold,
    conn: Connection,
    *,
    held_back: frozenset[tuple[str, int, int]] = frozenset(),
) -> int:
    """Folds everything before `upto` (where it names a place) or before the end as it is now.

    Gives the number of events folded.  Records that are not ours are passed over, as they were
    when they became dead letters; so is what is `held_back` (topic, partition, offset).
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = [
            TopicPartition(prefix + topic.name, partition)
            for topic in topics
            for partition in range(topic.partitions)
        ]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        left = await _ends(consumer, places, upto or {}, prefix)
        folded = 0
        while left:
            found = await consumer.getmany(*left, timeout_ms=1000, max_records=MOST)
            records = [
                record
                for record in _read(found, left, prefix)
                if (record.topic, record.partition, record.offset) not in held_back
            ]
            if records:
                await fold(conn, records)
                folded += len(records)
            log.debug("replayed", records=folded)
        return folded
    finally:
        await consumer.stop()


async def _ends(
    consumer: AIOKafkaConsumer,
    places: Sequence[TopicPartition],
    upto: Mapping[Place, int],
    prefix: str,
) -> dict[TopicPartition, int]:
    """Where each partition that holds anything is to end."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    for tp in places:
        ends[tp] = min(ends[tp], upto.get((tp.topic.removeprefix(prefix), tp.partition), ends[tp]))
    return {tp: end for tp, end in ends.items() if end > 0}


def _read(
    found: Mapping[TopicPartition, Sequence[ConsumerRecord]],
    left: dict[TopicPartition, int],
    prefix: str,
) -> Iterator[Received]:
    """Events before their partition's end; a partition that has reached it leaves `left`."""
    for tp, raw in found.items():
        for record in raw:
            if record.offset < left[tp]:
                try:
                    yield received(record, prefix)
                except MalformedEventError:
                    continue
                except UnknownEventError as error:
                    if not error.may_be_passed_over:
                        raise
        if raw[-1].offset + 1 >= left[tp]:
            del left[tp]
