"""The same fold, from the first event: no offsets kept, nothing decided, nothing published.

The next page is read while the database works on the one at hand.
"""

import asyncio
import gc
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.apply import Fold
from chassis.postgres import Connection
from chassis.records import Received, received
from contracts.codec import MalformedEventError, UnknownEventError
from contracts.topics import Topic

log = structlog.get_logger()

MOST = 5000
AT_A_STRETCH = 100
"""Records decoded before the database's answers are looked at: a few milliseconds."""
Place = tuple[str, int]
"""Topic (without the prefix) and partition."""
Left = dict[TopicPartition, int]
"""Where the partitions end that are not yet read to their ends."""


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
    folded = 0
    try:
        left = await _begin(consumer, topics, upto or {}, prefix)
        with _no_cycles_sought():
            async with aclosing(_ahead(_pages(consumer, left, prefix))) as pages:
                async for page in pages:
                    records = _without(page, held_back)
                    if records:
                        await fold(conn, records)
                    folded += len(records)
                    log.debug("replayed", records=folded)
    finally:
        await consumer.stop()
    return folded


def _without(page: list[Received], held_back: frozenset[tuple[str, int, int]]) -> list[Received]:
    if not held_back:
        return page
    return [r for r in page if (r.topic, r.partition, r.offset) not in held_back]


@contextmanager
def _no_cycles_sought() -> Iterator[None]:
    """Events hold no cycles; to look for some again and again costs more than to fold them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


async def _begin(
    consumer: AIOKafkaConsumer,
    topics: Sequence[Topic],
    upto: Mapping[Place, int],
    prefix: str,
) -> Left:
    """Every partition at its first record; where each that holds anything is to end."""
    places = [
        TopicPartition(prefix + topic.name, partition)
        for topic in topics
        for partition in range(topic.partitions)
    ]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    ends: Left = await consumer.end_offsets(places)
    for tp in places:
        ends[tp] = min(ends[tp], upto.get((tp.topic.removeprefix(prefix), tp.partition), ends[tp]))
    return {tp: end for tp, end in ends.items() if end > 0}


async def _ahead(
    pages: AsyncGenerator[list[Received], None],
) -> AsyncGenerator[list[Received], None]:
    """The same pages, each sought while the one before it is in use."""
    coming = asyncio.ensure_future(anext(pages, None))
    try:
        while (page := await coming) is not None:
            coming = asyncio.ensure_future(anext(pages, None))
            yield page
    finally:
        coming.cancel()
        await asyncio.wait([coming])


async def _pages(
    consumer: AIOKafkaConsumer, left: Left, prefix: str
) -> AsyncGenerator[list[Received], None]:
    while left:
        found = await consumer.getmany(*left, timeout_ms=1000, max_records=MOST)
        page: list[Received] = []
        for tp, raw in found.items():
            for since in range(0, len(raw), AT_A_STRETCH):
                page += _read(raw[since : since + AT_A_STRETCH], left[tp], prefix)
                await asyncio.sleep(0)
            if raw[-1].offset + 1 >= left[tp]:
                del left[tp]
        yield page


def _read(raw: Sequence[ConsumerRecord], end: int, prefix: str) -> Iterator[Received]:
    """The events before the end."""
    for record in raw:
        if record.offset < end:
            try:
                yield received(record, prefix)
            except MalformedEventError:
                continue
            except UnknownEventError as error:
                if not error.may_be_passed_over:
                    raise
