"""Whoever asks why a recipient is not called gets the one answer that also decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.batches import RetryPolicy
from contracts.calendar import Window
from contracts.eligibility import (
    BatchFacts,
    Code,
    Reason,
    RecipientFacts,
    Suppression,
    in_the_way,
    why_not,
    why_not_window,
)
from contracts.estimate import expected_end
from contracts.outcomes import Outcome
from contracts.progress import Progress, Rules, Stage
from contracts.statuses import BatchStatus

MONDAY_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OFFICE = Window(start="09:00", end="18:00", days=("mon", "tue"), timezone="UTC")
WAITING = RecipientFacts(Progress())
RUNNING = BatchFacts(
    BatchStatus.RUNNING, OFFICE, Rules(RetryPolicy(max_attempts=2, delay_seconds=(600,)))
)
HOUR = timedelta(hours=1)


def code(batch: BatchFacts, recipient: RecipientFacts, at: datetime = MONDAY_NOON) -> str | None:
    reason = why_not(batch, recipient, at)
    return reason.code.value if reason else None


def ended(outcome: Outcome) -> RecipientFacts:
    return RecipientFacts(
        Progress(
            1, Stage.ENDED, 1, 1, 1, outcome=outcome, ended_at=MONDAY_NOON - timedelta(minutes=1)
        )
    )


def test_a_running_batch_in_its_window_lacks_only_a_slot() -> None:
    assert why_not(RUNNING, WAITING, MONDAY_NOON) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SCHEDULED", "not_started"),
        ("PENDING", "not_started"),
        ("PAUSED", "batch_paused"),
        ("CANCELLED", "batch_ended"),
        ("FAILED", "batch_ended"),
        ("COMPLETED", "batch_ended"),
    ],
)
def test_a_batch_that_does_not_run_says_which_way(status: str, expected: str) -> None:
    assert code(replace(RUNNING, status=BatchStatus(status)), WAITING) == expected


def test_outside_the_window_it_says_when_it_opens() -> None:
    evening = MONDAY_NOON + 7 * HOUR
    opens = datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert why_not(RUNNING, WAITING, evening) == Reason(Code.WINDOW_CLOSED, opens)


def test_the_window_is_that_of_the_recipient_where_the_batch_says_so() -> None:
    abroad = OFFICE.model_copy(update={"timezone": "recipient", "fallback_timezone": "UTC"})
    assert why_not_window(abroad, ("Europe/Paris",), MONDAY_NOON) is None
    reason = why_not_window(abroad, ("America/Los_Angeles",), MONDAY_NOON)
    assert reason == Reason(Code.WINDOW_CLOSED, datetime(2026, 3, 2, 17, tzinfo=UTC))


def test_a_recipients_own_start_is_waited_for() -> None:
    later = replace(WAITING, not_before=MONDAY_NOON + HOUR)
    assert why_not(RUNNING, later, MONDAY_NOON) == Reason(Code.NOT_BEFORE, MONDAY_NOON + HOUR)
    assert code(RUNNING, later, MONDAY_NOON + HOUR) is None


def test_a_suppression_comes_before_all_else_and_counts_until_it_is_over() -> None:
    paused = replace(RUNNING, status=BatchStatus.PAUSED)
    for_good = replace(WAITING, suppression=Suppression())
    assert in_the_way(paused, for_good, MONDAY_NOON) == (
        Reason(Code.SUPPRESSED), Reason(Code.BATCH_PAUSED),
    )  # fmt: skip
    for_an_hour = replace(WAITING, suppression=Suppression(MONDAY_NOON + HOUR))
    assert in_the_way(RUNNING, for_an_hour, MONDAY_NOON) == (
        Reason(Code.SUPPRESSED, MONDAY_NOON + HOUR),
    )
    assert in_the_way(RUNNING, for_an_hour, MONDAY_NOON + HOUR) == ()
    called = replace(for_good, progress=Progress(1, Stage.STARTED, 1, 1, 1))
    assert code(RUNNING, called) == "called"


def test_the_same_number_is_not_rung_twice_at_once() -> None:
    assert (
        code(RUNNING, replace(WAITING, same_number=Progress(1, Stage.STARTED, 1, 1, 1)))
        == "number_busy"
    )


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("QUEUED", "placing"), ("PLACING", "placing"), ("STARTED", "called")],
)
def test_a_call_under_way_keeps_from_another(stage: str, expected: str) -> None:
    assert code(RUNNING, RecipientFacts(Progress(1, Stage[stage], 1, 1, 1))) == expected


def test_between_attempts_it_says_when_the_next_is_due() -> None:
    due = MONDAY_NOON - timedelta(minutes=1) + timedelta(seconds=600)
    assert why_not(RUNNING, ended(Outcome.BUSY), MONDAY_NOON) == Reason(Code.RETRY_DELAY, due)
    assert code(RUNNING, ended(Outcome.BUSY), due) is None


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("completed", "called"), ("suppressed", "suppressed"), ("expired", "expired")],
)
def test_who_is_final_stays_so(outcome: str, expected: str) -> None:
    assert code(RUNNING, ended(Outcome(outcome))) == expected


def test_a_batch_past_its_end_calls_nobody() -> None:
    assert code(replace(RUNNING, expires_at=MONDAY_NOON), WAITING) == "expired"
    assert code(replace(RUNNING, expires_at=MONDAY_NOON + HOUR), WAITING) is None


def test_the_end_is_estimated_over_closed_hours() -> None:
    assert expected_end(OFFICE, (), MONDAY_NOON, 2 * HOUR) == MONDAY_NOON + 2 * HOUR
    tuesday = expected_end(OFFICE, (), MONDAY_NOON, 7 * HOUR)
    assert tuesday == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert expected_end(OFFICE, (), MONDAY_NOON, 9999 * HOUR) is None
