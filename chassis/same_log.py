"""A log that lacks what was read of it, or another log, is not read on: offsets mean nothing there.

The record before the place where reading goes on has to be the one it was, and the records that
follow have to be the next ones.  Nothing here is given up for ever: the log may be brought back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

ANOTHER = "this is not the log that was read"

Records = Mapping[TopicPartition, Sequence[ConsumerRecord]]


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

    def __init__(self) -> None:
        self._unseen: dict[TopicPartition, Stand] = {}

    def is_seen(self, among: set[TopicPartition]) -> bool:
        """Whether each has shown the record before the place it is read from."""
        return among.isdisjoint(self._unseen)

    def take_up(self, partition: TopicPartition, stand: Stand) -> int:
        """The offset to read from: that of the record before, which is looked at again."""
        if stand.upto == 0:
            self._unseen.pop(partition, None)
            return 0
        self._unseen[partition] = stand
        return stand.upto - 1

    def follow(self, found: Records, at: Mapping[TopicPartition, int]) -> Records:
        """What comes after the places `at`.  Raises LostLogError."""
        further = {tp: self._after(tp, records, at[tp]) for tp, records in found.items()}
        return {tp: records for tp, records in further.items() if records}

    def _after(
        self, tp: TopicPartition, records: Sequence[ConsumerRecord], at: int
    ) -> Sequence[ConsumerRecord]:
        stand = self._unseen.get(tp)
        first = at if stand is None else stand.upto - 1
        if records and records[0].offset != first:
            raise LostLogError(
                f"{ANOTHER}: {_named(tp)} goes on at {records[0].offset}, not at {first}"
            )
        if stand is None or not records:
            return records
        if stand.marked_offset == first and stand.marked_at != records[0].timestamp:
            raise LostLogError(f"{ANOTHER}: {_named(tp)} has another record at {first}")
        del self._unseen[tp]
        return records[1:]


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


def _named(tp: TopicPartition) -> str:
    return f"{tp.topic}/{tp.partition}"
