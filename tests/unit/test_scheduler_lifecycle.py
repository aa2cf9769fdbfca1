"""What a batch does by itself, and when."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.status import BatchCompleted, BatchFailed, BatchStarted
from contracts.statuses import BatchStatus, Result
from services.scheduler.domain.batch import Batch, Status, evolve
from services.scheduler.domain.lifecycle import LIFETIME, Work, due, start, waits_until, wakes_at
from tests.scheduler_story import NOON, Story

HOUR = timedelta(hours=1)
BUSY, WAITING = Work(in_flight=1), Work()
DONE = Work(waiting=False, completed=2, not_completed=1)


def batch(status: BatchStatus, *, landed: bool = True, fault: Any = None, **now: Any) -> Batch:
    state = Status(status=status, sequence=2, epoch=1, command_no=1)
    return Batch(Story().created(), replace(state, **now), landed=landed, fault=fault)


def test_a_batch_starts_when_its_rows_are_there_and_its_hour_has_come() -> None:
    scheduled = batch(BatchStatus.SCHEDULED, scheduled_at=NOON)
    assert due(scheduled, WAITING, NOON - HOUR) is None
    assert due(replace(scheduled, landed=False), WAITING, NOON) is None
    said = due(scheduled, WAITING, NOON)
    assert isinstance(said, BatchStarted)
    assert (said.status, said.epoch, said.started_at) == (BatchStatus.RUNNING, 2, NOON)
    assert said.expires_at == NOON + LIFETIME
    assert said.command_id is None


def test_a_retried_batch_keeps_the_instant_of_its_first_start_and_the_end_it_was_given() -> None:
    again = batch(
        BatchStatus.SCHEDULED, retry_epoch=1, started_at=NOON - HOUR, expires_at=NOON + HOUR
    )
    said = due(again, WAITING, NOON)
    assert isinstance(said, BatchStarted)
    assert (said.started_at, said.expires_at) == (NOON - HOUR, NOON + HOUR)


def test_the_thirty_days_of_a_batch_begin_with_its_start_not_with_its_waiting_for_it() -> None:
    waiting = batch(BatchStatus.PENDING, expires_at=waits_until(NOON, None))
    assert due(waiting, WAITING, NOON + LIFETIME - HOUR) is None
    assert start(waiting, NOON + HOUR).expires_at == NOON + HOUR + LIFETIME


def test_a_batch_that_nobody_starts_ends_all_the_same() -> None:
    waiting = batch(BatchStatus.PENDING, expires_at=waits_until(NOON, NOON + HOUR))
    work = replace(WAITING, not_completed=3)
    said = due(waiting, work, NOON + HOUR + LIFETIME)
    assert isinstance(said, BatchCompleted)
    assert (said.expired, said.result) == (True, Result.FAILED)


@pytest.mark.parametrize("status", [BatchStatus.PENDING, BatchStatus.PAUSED])
def test_a_batch_that_waits_for_a_person_does_nothing_by_itself(status: BatchStatus) -> None:
    assert due(batch(status), DONE, NOON) is None


def test_a_batch_completes_when_nobody_is_left_to_call_and_nobody_is_in_a_call() -> None:
    running = batch(BatchStatus.RUNNING)
    assert due(running, BUSY, NOON) is None
    assert due(running, WAITING, NOON) is None
    assert due(replace(running, landed=False), DONE, NOON) is None
    said = due(running, DONE, NOON)
    assert isinstance(said, BatchCompleted)
    assert (said.result, said.expired, said.finished_at) == (Result.COMPLETED_PARTIAL, False, NOON)
    assert due(evolve(running, said), DONE, NOON) is None


@pytest.mark.parametrize(
    "status",
    [BatchStatus.SCHEDULED, BatchStatus.PENDING, BatchStatus.RUNNING, BatchStatus.PAUSED],
)
def test_whatever_its_status_a_batch_ends_at_its_end(status: BatchStatus) -> None:
    old = batch(status, expires_at=NOON)
    assert due(old, BUSY, NOON) is None
    said = due(old, Work(not_completed=4), NOON)
    assert isinstance(said, BatchCompleted)
    assert (said.expired, said.result) == (True, Result.FAILED)


def test_who_lands_after_the_end_of_a_batch_was_given_up_with_it() -> None:
    late = batch(BatchStatus.SCHEDULED, landed=False, expires_at=NOON)
    said = due(late, Work(waiting=False), NOON)
    assert isinstance(said, BatchCompleted)
    assert (said.expired, said.result) == (True, Result.FAILED)


@pytest.mark.parametrize(
    ("status", "epoch", "fails"),
    [
        (BatchStatus.RUNNING, 1, True),
        (BatchStatus.PAUSED, 1, True),
        (BatchStatus.RUNNING, 0, False),
        (BatchStatus.CANCELLED, 1, False),
        (BatchStatus.COMPLETED, 1, False),
    ],
)
def test_a_fatal_fault_of_the_present_epoch_fails_the_batch(
    status: BatchStatus,
    epoch: int,
    fails: bool,  # noqa: FBT001
) -> None:
    said = due(batch(status, fault=(epoch, "carrier_unauthorized")), BUSY, NOON)
    assert isinstance(said, BatchFailed) is fails
    if said is not None:
        assert (said.reason_code, said.result) == ("carrier_unauthorized", Result.FAILED)


def test_a_deleted_batch_does_nothing_any_more() -> None:
    gone = replace(batch(BatchStatus.RUNNING, expires_at=NOON), deleted=True)
    assert due(gone, DONE, NOON) is None
    assert wakes_at(gone, NOON - HOUR) == []


def test_a_batch_is_looked_at_again_when_it_is_to_start_and_when_it_is_to_end() -> None:
    scheduled = batch(BatchStatus.SCHEDULED, scheduled_at=NOON + HOUR, expires_at=NOON + 2 * HOUR)
    assert sorted(wakes_at(scheduled, NOON)) == [NOON + HOUR, NOON + 2 * HOUR]
    running = replace(scheduled, now=replace(scheduled.now, status=BatchStatus.RUNNING))
    assert wakes_at(running, NOON) == [NOON + 2 * HOUR]
