"""The same fold, from the first event or a later one: nothing decided, nothing published.

What is keyed alike is read together, so that a page tells as much of a thing as it can; the next
one is read while the database works on the one at hand.
"""

import asyncio
import gc
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.apply import Fold
from chassis.postgres import Connection
from chassis.records import Received, received
from contracts.codec import MalformedEventError, UnknownEventError
from contracts.topics import Topic

log = structlog.get_logger()

MOST = 5_000
"""Events of a page: many enough that most of what is told of a call comes together."""
MOST_BYTES = 16 * 1024 * 1024
"""Of their bodies: chunks of recipients are large."""
AT_A_STRETCH = 100
"""Records decoded before the database's answers are looked at: a few milliseconds."""
Place = tuple[str, int]
"""Topic (without the prefix) and partition."""
Ends = dict[TopicPartition, int]
Lines = Sequence[Sequence[TopicPartition]]
"""Partitions in the order they are read in: those of a line, which are keyed alike, together."""


async def replay(
    kafka: str,
    prefix: str,
    topics: Sequence[Topic],
    upto: Mapping[Place, int] | None,
    fold: Fold,
    conn: Connection,
    *,
    since: Mapping[Place, int] | None = None,
    held_back: frozenset[tuple[str, int, int]] = frozenset(),
) -> int:
    """Folds everything before `upto` (where it names a place) or before the end as it is now.

    It begins where `since` says, elsewhere with the first event.  Gives the number of events
    folded.  Records that are not ours are passed over, as they were
    when they became dead letters; so is what is `held_back` (topic, partition, offset).
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=0,  # all that is sought is there
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    folded = 0
    try:
        await consumer.start()
        lines = _lines(topics, prefix)
        ends = await _begin(consumer, lines, since or {}, upto or {}, prefix)
        with _no_cycles_sought():
            async with aclosing(_ahead(_pages(consumer, lines, ends, prefix))) as pages:
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


def _lines(topics: Sequence[Topic], prefix: str) -> Lines:
    """In the order in which the topics name their keys first: batches before what is theirs."""
    keys = dict.fromkeys(topic.key for topic in topics)
    lines: dict[tuple[str, int], list[TopicPartition]] = {}
    for key in keys:
        for topic in topics:
            if topic.key == key:
                for partition in range(topic.partitions):
                    line = lines.setdefault((key, partition), [])
                    line.append(TopicPartition(prefix + topic.name, partition))
    return list(lines.values())


async def _begin(
    consumer: AIOKafkaConsumer,
    lines: Lines,
    since: Mapping[Place, int],
    upto: Mapping[Place, int],
    prefix: str,
) -> Ends:
    """Every partition where it begins; where each that has anything to read is to end."""
    places = [tp for line in lines for tp in line]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    ends: Ends = await consumer.end_offsets(places)
    nothing = []
    for tp, end in ends.items():
        place = (tp.topic.removeprefix(prefix), tp.partition)
        ends[tp] = min(end, upto.get(place, end))
        if place in since:
            consumer.seek(tp, since[place])
        if ends[tp] <= since.get(place, 0):
            nothing.append(tp)
    consumer.pause(*nothing)
    return {tp: end for tp, end in ends.items() if tp not in nothing}


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
    consumer: AIOKafkaConsumer, lines: Lines, ends: Ends, prefix: str
) -> AsyncGenerator[list[Received], None]:
    """Not much more than MOST events each, and not much less, but for the last."""
    page: list[Received] = []
    size = 0
    async for tp, raw in _fetched(consumer, lines, ends):
        for since in range(0, len(raw), AT_A_STRETCH):
            some = raw[since : since + AT_A_STRETCH]
            page += _read(some, ends[tp], prefix)
            size += sum(len(record.value or b"") for record in some)
            if size >= MOST_BYTES:
                yield page
                page, size = [], 0
            await asyncio.sleep(0)
        if len(page) >= MOST:
            yield page
            page, size = [], 0
    yield page


async def _fetched(
    consumer: AIOKafkaConsumer, lines: Lines, ends: Ends
) -> AsyncGenerator[tuple[TopicPartition, list[ConsumerRecord]], None]:
    """All up to the ends.  Each fetch is taken line by line: only then does the next one begin."""
    left = set(ends)

    async def more(line: Iterable[TopicPartition]) -> Mapping[TopicPartition, list[ConsumerRecord]]:
        here = left.intersection(line)  # none given would mean all to the consumer
        return await consumer.getmany(*here, max_records=MOST) if here else {}

    async def look(read: Iterable[TopicPartition]) -> None:
        for tp in read:
            if await consumer.position(tp) >= ends[tp]:
                left.discard(tp)
                consumer.pause(tp)

    while left:
        found = await consumer.getmany(*left, timeout_ms=1000, max_records=1)  # until one is there
        if not found:
            await look(tuple(left))  # no record is the last where a transaction's mark is
        for line in lines:
            found = found or await more(line)
            while found:
                await look(found)
                for tp, raw in found.items():
                    yield tp, raw
                found = await more(line)


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
