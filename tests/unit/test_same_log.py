"""A log is read on only where it was left: a gap is the marks of transactions, or it is a loss."""

from collections.abc import Collection, Mapping

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from chassis.pages import Page
from chassis.same_log import LostLogError, SameLog, Stand

PLACE = TopicPartition("rollcall.batches", 0)
WHEN = 1_700_000_000_000


def record(offset: int, timestamp: int = WHEN) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(PLACE.topic, 0, offset, timestamp, 0, b"", b"", None, 0, 0, ())


def log_that_begins_at(offset: int) -> SameLog:
    async def beginnings(asked: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(asked, offset)

    return SameLog(beginnings)


async def test_a_gap_in_a_log_that_has_its_beginning_is_passed_over() -> None:
    log = log_that_begins_at(0)
    assert await log.follow({PLACE: [record(12)]}, {PLACE: 10}) == {PLACE: [record(12)]}
    assert await log.passed({PLACE: 15}, {PLACE: 13}) == {PLACE: 15}


async def test_a_gap_is_a_loss_where_the_log_begins_behind_the_place() -> None:
    log = log_that_begins_at(11)
    with pytest.raises(LostLogError, match="goes on at 12, not at 10"):
        await log.follow({PLACE: [record(12)]}, {PLACE: 10})
    with pytest.raises(LostLogError, match="goes on at 11, not at 10"):
        await log.passed({PLACE: 11}, {PLACE: 10})


async def test_a_log_that_begins_anew_is_another() -> None:
    with pytest.raises(LostLogError, match="goes on at 0, not at 10"):
        await log_that_begins_at(0).follow({PLACE: [record(0)]}, {PLACE: 10})


async def test_the_last_record_is_looked_at_again_though_marks_follow_it() -> None:
    log = log_that_begins_at(0)
    assert log.take_up(PLACE, Stand(10, marked_offset=7, marked_at=WHEN)) == 7
    assert not log.is_seen({PLACE})
    assert await log.follow({PLACE: [record(7), record(10)]}, {PLACE: 10}) == {PLACE: [record(10)]}
    assert log.is_seen({PLACE})


async def test_another_record_or_none_where_the_last_was_read_is_another_log() -> None:
    log = log_that_begins_at(0)
    log.take_up(PLACE, Stand(10, marked_offset=7, marked_at=WHEN))
    with pytest.raises(LostLogError, match="has another record at 7"):
        await log.follow({PLACE: [record(7, WHEN + 1)]}, {PLACE: 10})
    with pytest.raises(LostLogError, match="goes on at 9, not at 7"):
        await log.passed({PLACE: 9}, {PLACE: 10})


def test_a_page_that_is_cut_short_remembers_the_record_before_the_cut() -> None:
    page = Page(PLACE, PLACE.topic, since=3, upto=6, passed=[(3, 30), (4, 40), (5, 50)])
    page.upto = 5
    assert (page.marked_offset, page.marked_at) == (4, 40)
    page.upto = 3
    assert (page.marked_offset, page.marked_at) == (None, None)
