"""The phase says what a batch does or waits for, and nobody is promised a call that is not due."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.batches import RetryPolicy
from contracts.calendar import Window
from contracts.estimate import Span
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch, State
from services.projections.domain.phase import EXPLAINED, Phase, phase_of
from tests.batch_seen import BUSY_ONCE, DONE, NOON, PLACING, a_batch

LATER = NOON + timedelta(hours=1)

EVENING = NOON + timedelta(hours=6)
LATER = NOON + timedelta(hours=1)
NEXT_WEEK = NOON + timedelta(days=7)
RETURNED = "4:1:0:0:"
TWICE = RetryPolicy(max_attempts=2, delay_seconds=(60,))
AT_ONCE = RetryPolicy(max_attempts=2, delay_seconds=(0,))
OWN = Window(start="09:00", end="18:00", days=("mon",), timezone="recipient")


@pytest.mark.parametrize(
    ("batch", "phase"),
    [
        (a_batch(BatchStatus.SCHEDULED, sequence=0, landed=0), Phase.INITIALIZING),
        (a_batch(BatchStatus.SCHEDULED, sequence=0), Phase.INITIALIZING),
        (a_batch(BatchStatus.SCHEDULED, landed=0), Phase.VALIDATING),
        (a_batch(BatchStatus.PENDING, landed=0), Phase.VALIDATING),
        (a_batch(BatchStatus.SCHEDULED), Phase.VALIDATING),
        (a_batch(BatchStatus.SCHEDULED, state={"scheduled_at": LATER}), Phase.WAITING_FOR_SCHEDULE),
        (a_batch(BatchStatus.PENDING), Phase.WAITING_FOR_START),
        (a_batch(uncalled={"": None}), Phase.DISPATCHING),
        (a_batch(standings={PLACING: 1}), Phase.IN_PROGRESS),
        (a_batch(standings={PLACING: 1}, chunks=2), Phase.IN_PROGRESS_CHUNKED),
        (a_batch(BatchStatus.PAUSED, gate_epoch=0), Phase.PAUSING),
        (a_batch(BatchStatus.PAUSED, gate_epoch=1), Phase.PAUSED),
        (a_batch(BatchStatus.PAUSED, gate_epoch=1, standings={PLACING: 1}), Phase.PAUSED),
        (a_batch(BatchStatus.COMPLETED, standings={DONE: 3}), Phase.COMPLETED),
    ],
)
def test_a_batch_goes_through_its_phases(batch: Batch, phase: Phase) -> None:
    assert phase_of(batch, NOON) is phase


@pytest.mark.parametrize("status", [BatchStatus.CANCELLED, BatchStatus.FAILED])
def test_a_stopped_batch_is_finishing_until_its_calls_are_over_and_its_gate_is_closed(
    status: BatchStatus,
) -> None:
    calling = a_batch(status, gate_epoch=1, standings={PLACING: 1})
    assert phase_of(calling, NOON) is Phase.FINISHING
    assert phase_of(a_batch(status, gate_epoch=0), NOON) is Phase.FINISHING
    assert phase_of(a_batch(status, gate_epoch=1), NOON) is Phase(status.lower())
    never_started = replace(a_batch(status), state=State(status=status, epoch=0))
    assert phase_of(never_started, NOON) is Phase(status.lower())


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        ({"uncalled": {"": None}}, Phase.WAITING_FOR_WINDOW),
        ({"standings": {DONE: 1}}, Phase.WAITING_FOR_WINDOW),
        ({"standings": {DONE: 1, PLACING: 1}}, Phase.IN_PROGRESS),
        ({"standings": {DONE: 2, RETURNED: 1}}, Phase.WAITING_FOR_WINDOW),
        ({"standings": {DONE: 2, BUSY_ONCE: 1}, "policy": TWICE}, Phase.WAITING_FOR_WINDOW),
        ({"uncalled": {"": NEXT_WEEK}}, Phase.WAITING_FOR_SCHEDULED_CALLS),
    ],
)
def test_in_the_evening_whoever_is_left_waits_for_the_window(
    facts: dict[str, Any], phase: Phase
) -> None:
    assert phase_of(a_batch(**facts), EVENING) is phase


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        ({"uncalled": {"": LATER}}, Phase.WAITING_FOR_SCHEDULED_CALLS),
        ({"uncalled": {"": NOON}}, Phase.DISPATCHING),
        ({"uncalled": {"": LATER}, "standings": {DONE: 2}}, Phase.WAITING_FOR_SCHEDULED_CALLS),
        ({"uncalled": {"": LATER}, "standings": {RETURNED: 1}}, Phase.IN_PROGRESS),
        ({"uncalled": {"": LATER}, "standings": {PLACING: 1}}, Phase.IN_PROGRESS),
        ({"uncalled": {"": LATER, "Europe/Rome": None}}, Phase.DISPATCHING),
    ],
)
def test_whoever_is_to_be_called_at_a_time_of_their_own_is_waited_for(
    facts: dict[str, Any], phase: Phase
) -> None:
    assert phase_of(a_batch(**facts), NOON) is phase


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        ({"policy": TWICE}, Phase.WAITING_FOR_RETRY),
        ({"policy": AT_ONCE}, Phase.IN_PROGRESS),
        ({"policy": TWICE, "state": {"retry_epoch": 2}}, Phase.IN_PROGRESS),
        ({"policy": TWICE, "uncalled": {"": NOON}}, Phase.IN_PROGRESS),
        ({"policy": TWICE, "uncalled": {"": LATER}}, Phase.WAITING_FOR_SCHEDULED_CALLS),
    ],
)
def test_whoever_was_called_in_vain_waits_for_the_next_attempt(
    facts: dict[str, Any], phase: Phase
) -> None:
    busy = a_batch(standings={DONE: 1, BUSY_ONCE: 1}, **facts)
    assert phase_of(busy, NOON) is phase


def zones(uncalled: dict[str, datetime | None], **facts: Any) -> Phase:
    return phase_of(
        a_batch(window=OWN, zones=dict.fromkeys(uncalled, Span()), uncalled=uncalled, **facts), NOON
    )


def test_a_window_in_the_recipients_own_zones_is_open_where_it_is_open_for_somebody_left() -> None:
    assert zones({"Asia/Tokyo": None}) is Phase.WAITING_FOR_WINDOW
    assert zones({"Asia/Tokyo": None, "Europe/Paris": None}) is Phase.DISPATCHING
    assert zones({"Asia/Tokyo": None, "Europe/Paris": LATER}) is Phase.WAITING_FOR_WINDOW
    called = a_batch(
        window=OWN,
        zones=dict.fromkeys(["Asia/Tokyo", "Europe/Paris"], Span()),
        uncalled={"Asia/Tokyo": None},
        standings={DONE: 2},
    )
    assert phase_of(called, NOON) is Phase.WAITING_FOR_WINDOW


def test_every_phase_is_explained_to_those_who_read_it() -> None:
    assert all(f"`{phase}`" in EXPLAINED for phase in Phase)
