"""Statuses and actions are those people were promised."""

from itertools import permutations

import pytest

from contracts.lifecycle import allowed_actions, allows, newest, result_of
from contracts.outcomes import Outcome, RecipientStatus, status_of
from contracts.statuses import Action, BatchStatus, Result
from tests.contracts.test_events import read, sample

PROMISED = {
    "SCHEDULED": "cancel rename delete",
    "PENDING": "start cancel rename delete",
    "RUNNING": "pause cancel rename delete",
    "PAUSED": "resume cancel rename delete",
    "COMPLETED": "retry rename delete",
    "CANCELLED": "retry rename delete",
    "FAILED": "retry rename delete",
}


@pytest.mark.parametrize("status", BatchStatus)
def test_each_status_allows_what_was_promised(status: BatchStatus) -> None:
    assert " ".join(allowed_actions(status, failures=1)) == PROMISED[status]
    for action in Action:
        assert allows(status, action, failures=1) == (action in PROMISED[status].split())


def test_a_completed_batch_without_failures_has_nothing_to_retry() -> None:
    assert allowed_actions(BatchStatus.COMPLETED, failures=0) == (Action.RENAME, Action.DELETE)
    assert allows(BatchStatus.CANCELLED, Action.RETRY, failures=0)


def test_the_highest_sequence_is_the_status_in_whatever_order() -> None:
    said = [read(sample(f"{name}.v1")) for name in ("BatchScheduled", "BatchPaused", "BatchFailed")]
    for order in permutations([*said, *said]):
        status = None
        for event in order:
            status = newest(status, event)  # type: ignore[type-var]
        assert status is not None
        assert status.sequence == 13  # type: ignore[attr-defined]


def test_outcomes_make_recipients_what_was_promised() -> None:
    reached = {Outcome.COMPLETED, Outcome.VOICEMAIL}
    missed = {Outcome.NO_ANSWER, Outcome.BUSY, Outcome.DECLINED}
    assert {o for o in Outcome if status_of(o) is RecipientStatus.COMPLETED} == reached
    assert {o for o in Outcome if status_of(o) is RecipientStatus.NO_ANSWER} == missed


def test_the_result_says_whether_all_some_or_none_were_reached() -> None:
    assert result_of(completed=3, not_completed=0) is Result.COMPLETED
    assert result_of(completed=3, not_completed=1) is Result.COMPLETED_PARTIAL
    assert result_of(completed=0, not_completed=1) is Result.FAILED
