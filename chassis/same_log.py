"""A log that lacks what was read of it, or another log, is not read on: offsets mean nothing there.

The record before the place where reading goes on has to be the one it was, and those that follow
have to be the next ones: a gap between two is either the marks of somebody's transactions, which no
consumer is shown, or a log that begins later by now.  Nothing here is given up for ever: the log
may be brought back.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

ANOTHER = "this is not the log that was read"

Records = Mapping[TopicPartition, Sequence[ConsumerRecord]]
Places = Mapping[TopicPartition, int]
Beginnings = Callable[[Collection[TopicPartition]], Awaitable[Places]]


class LostLogError(Exception):
    """The message says which partition, and what is missing of it."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the database stands in a partition."""

    upto: int
    marked_offset: int | None = None
    marked_at: int | None = None
    """The timestamp of the record at `marked_offset`, milliseconds."""


class SameLog:
    """What is remembered of the log, held against what it delivers."""

    def __init__(self, beginnings: Beginnings) -> None:
        self._beginnings = beginnings
        self._unseen: dict[TopicPartition, Stand] = {}

    def is_seen(self, among: set[TopicPartition]) -> bool:
        """Whether each has shown the record before the place it is read from."""
        return among.isdisjoint(self._unseen)

    def take_up(self, partition: TopicPartition, stand: Stand) -> int:
        """The offset to read from: that of the record before, which is looked at again."""
        mark = stand.marked_offset
        if mark is None or mark >= stand.upto:
            self._unseen.pop(partition, None)
            return stand.upto
        self._unseen[partition] = stand
        return mark

    async def follow(self, found: Records, at: Places) -> Records:
        """What comes after the places `at`.  Raises LostLogError."""
        further = {tp: self._after(tp, records, at[tp]) for tp, records in found.items()}
        further = {tp: records for tp, records in further.items() if records}
        await self._none_between(at, {tp: raw[0].offset for tp, raw in further.items()})
        return further

    async def passed(self, reached: Places, at: Places) -> Places:
        """Of places `reached` without a record those after `at`.  Raises LostLogError."""
        for tp, place in reached.items():
            stand = self._unseen.get(tp)
            if stand is not None and place > (stand.marked_offset or 0):
                raise _goes_on(tp, place, stand.marked_offset)
        further = {tp: place for tp, place in reached.items() if place > at[tp]}
        await self._none_between(at, further)
        return further

    def _after(
        self, tp: TopicPartition, records: Sequence[ConsumerRecord], at: int
    ) -> Sequence[ConsumerRecord]:
        stand, first = self._unseen.get(tp), records[0]
        if stand is None:
            if first.offset < at:
                raise _goes_on(tp, first.offset, at)
            return records
        if first.offset != stand.marked_offset:
            raise _goes_on(tp, first.offset, stand.marked_offset)
        if first.timestamp != stand.marked_at:
            raise LostLogError(f"{ANOTHER}: {_named(tp)} has another record at {first.offset}")
        del self._unseen[tp]
        return records[1:]

    async def _none_between(self, at: Places, to: Places) -> None:
        gaps = [tp for tp, place in to.items() if place > at[tp]]
        if gaps:
            for tp, beginning in (await self._beginnings(gaps)).items():
                if beginning > at[tp]:
                    raise _goes_on(tp, to[tp], at[tp])


def compare(stands: Mapping[TopicPartition, Stand], ends: Mapping[TopicPartition, int]) -> None:
    """Raises LostLogError where the log ends before the place to which it was read."""
    short = {tp: it.upto - ends[tp] for tp, it in stands.items() if it.upto > ends.get(tp, it.upto)}
    if short:
        tp = min(short)
        raise LostLogError(
            f"{ANOTHER}: {sum(short.values())} records that were read are missing at the end of"
            f" {len(short)} partitions, such as {_named(tp)}: read up to {stands[tp].upto},"
            f" ends at {ends[tp]}"
        )


def _goes_on(tp: TopicPartition, there: int, expected: int | None) -> LostLogError:
    return LostLogError(f"{ANOTHER}: {_named(tp)} goes on at {there}, not at {expected}")


def _named(tp: TopicPartition) -> str:
    return f"{tp.topic}/{tp.partition}"
