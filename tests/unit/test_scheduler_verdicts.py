"""Given what a batch is, when something is asked of it, then exactly one answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batches import (
    Addition,
    BatchCancelRequested,
    BatchCommand,
    BatchDeleted,
    BatchImportFailed,
    BatchPauseRequested,
    BatchRenamed,
    BatchResumeRequested,
    BatchRetryRequested,
    BatchStartRequested,
    RecipientRemovalRequested,
    RecipientsAddRequested,
)
from contracts.lifecycle import allowed_actions
from contracts.status import (
    BatchActionRejected,
    BatchCancelled,
    BatchFailed,
    BatchPaused,
    BatchResumed,
    BatchRetried,
    BatchScheduled,
    BatchStarted,
    BatchStatusEvent,
    RecipientRemoved,
    RecipientsAddAccepted,
)
from contracts.statuses import Action, BatchStatus, Result
from services.scheduler.domain.batch import Batch, Status, evolve
from services.scheduler.domain.lifecycle import LIFETIME
from services.scheduler.domain.verdicts import NEEDS_A_VERDICT, verdict
from tests.scheduler_story import NOON, Story

ASKED: dict[Action, type[BatchCommand]] = {
    Action.START: BatchStartRequested,
    Action.PAUSE: BatchPauseRequested,
    Action.RESUME: BatchResumeRequested,
    Action.CANCEL: BatchCancelRequested,
    Action.RETRY: BatchRetryRequested,
}
SAID: dict[Action, type[BatchStatusEvent]] = {
    Action.START: BatchStarted,
    Action.PAUSE: BatchPaused,
    Action.RESUME: BatchResumed,
    Action.CANCEL: BatchCancelled,
    Action.RETRY: BatchRetried,
}


def batch(story: Story, status: BatchStatus | None, **facts: Any) -> Batch:
    now = Status(status=status, sequence=4, epoch=3, command_no=1)
    return replace(Batch(story.created(), now, landed=True), **facts)


@pytest.mark.parametrize("failures", [0, 2])
@pytest.mark.parametrize("status", BatchStatus)
@pytest.mark.parametrize("action", ASKED)
def test_an_action_is_done_where_its_status_allows_it_and_refused_elsewhere(
    action: Action, status: BatchStatus, failures: int
) -> None:
    story = Story()
    before = batch(story, status, failures=failures)
    command = story.ask(ASKED[action])
    said = verdict(before, command, NOON)
    assert (said.command_id, said.command_no) == (command.command_id, command.command_no)
    assert said.sequence == 5
    allowed = allowed_actions(status, failures=failures)
    if action in allowed:
        assert type(said) is SAID[action]
    else:
        assert isinstance(said, BatchActionRejected)
        assert (said.status, said.epoch, said.action) == (status, 3, action)
        assert (said.refusal, said.allowed_actions) == ("action_not_allowed", allowed)


@pytest.mark.parametrize("action", ASKED)
def test_the_same_action_asked_twice_is_refused_the_second_time(action: Action) -> None:
    story = Story()
    status = next(s for s in BatchStatus if action in allowed_actions(s, failures=1))
    before = batch(story, status, failures=1)
    after = evolve(before, verdict(before, story.ask(ASKED[action]), NOON))
    assert isinstance(verdict(after, story.ask(ASKED[action]), NOON), BatchActionRejected)


def test_a_batch_is_scheduled_with_all_that_its_creation_asks_for() -> None:
    story = Story()
    later = NOON + timedelta(hours=1)
    created = story.created(scheduled_at=later, expires_at=later + timedelta(days=1))
    said = verdict(Batch(created, Status()), created, NOON)
    assert type(said) is BatchScheduled
    assert (said.sequence, said.status, said.epoch) == (1, BatchStatus.SCHEDULED, 0)
    assert (said.scheduled_at, said.expires_at) == (created.scheduled_at, created.expires_at)


def test_a_batch_that_is_not_to_start_waits_as_pending() -> None:
    created = Story().created(start=False)
    assert verdict(Batch(created, Status()), created, NOON).status is BatchStatus.PENDING


def test_a_start_before_its_hour_waits_for_it() -> None:
    story = Story()
    waiting = batch(story, BatchStatus.PENDING)
    waiting = replace(waiting, now=replace(waiting.now, scheduled_at=NOON + timedelta(hours=1)))
    said = verdict(waiting, story.ask(BatchStartRequested), NOON)
    assert (type(said), said.status) == (BatchScheduled, BatchStatus.SCHEDULED)
    said = verdict(waiting, story.ask(BatchStartRequested), NOON + timedelta(hours=1))
    assert said.status is BatchStatus.RUNNING


def test_start_resume_and_retry_raise_the_epoch_pause_and_cancel_close_it() -> None:
    story = Story()
    epochs = {
        action: verdict(
            batch(
                story,
                next(s for s in BatchStatus if action in allowed_actions(s, failures=1)),
                failures=1,
            ),
            story.ask(asked),
            NOON,
        ).epoch
        for action, asked in ASKED.items()
    }
    assert epochs == {
        Action.START: 4,
        Action.PAUSE: 3,
        Action.RESUME: 4,
        Action.CANCEL: 3,
        Action.RETRY: 4,
    }


@pytest.mark.parametrize("include_unknown", [False, True])
def test_a_retry_starts_over_and_touches_unknown_ones_only_if_asked_to(
    include_unknown: bool,  # noqa: FBT001
) -> None:
    story = Story()
    before = batch(story, BatchStatus.FAILED)
    ended = replace(before.now, reason_code="x", result=Result.FAILED, finished_at=NOON)
    before = replace(before, now=replace(ended, expires_at=NOON, started_at=NOON))
    command = story.ask(BatchRetryRequested, include_unknown=include_unknown)
    said = verdict(before, command, NOON)
    assert (said.status, said.retry_epoch) == (BatchStatus.SCHEDULED, 4)
    assert said.unknown_retry_epoch == (4 if include_unknown else 0)
    assert (said.reason_code, said.result, said.finished_at) == (None,) * 3
    assert said.expires_at == NOON + LIFETIME
    assert said.started_at == NOON


LIST = Addition(addition_id=Story().batch_id, chunks=1, recipients=1)


@pytest.mark.parametrize("status", BatchStatus)
def test_rows_are_added_to_and_taken_from_a_batch_that_has_not_ended(status: BatchStatus) -> None:
    story = Story()
    one = story.recipient(1)
    before = batch(story, status, present=frozenset({one}), removable=frozenset({one}))
    adding = story.ask(RecipientsAddRequested, addition=LIST)
    removing = story.ask(RecipientRemovalRequested, recipient_id=one)
    said = [verdict(before, command, NOON) for command in (adding, removing)]
    done = (RecipientsAddAccepted, RecipientRemoved)
    refused = (BatchActionRejected, BatchActionRejected)
    assert tuple(type(event) for event in said) == (refused if before.ended else done)
    assert {event.status for event in said} == {status}


def test_who_was_called_stays() -> None:
    story = Story()
    one = story.recipient(1)
    before = batch(story, BatchStatus.RUNNING, present=frozenset({one}))
    said = verdict(before, story.ask(RecipientRemovalRequested, recipient_id=one), NOON)
    assert isinstance(said, BatchActionRejected)
    assert said.refusal == "recipient_called"


def test_whom_the_batch_does_not_have_or_has_no_more_is_not_found() -> None:
    story = Story()
    one = frozenset({story.recipient(1)})
    before = batch(story, BatchStatus.RUNNING, present=one, removable=one)
    ask = story.ask(RecipientRemovalRequested, recipient_id=story.recipient(1))
    after = evolve(before, verdict(before, ask, NOON))
    again = story.ask(RecipientRemovalRequested, recipient_id=story.recipient(1))
    other = story.ask(RecipientRemovalRequested, recipient_id=story.recipient(2))
    for state, command in ((after, again), (before, other)):
        said = verdict(state, command, NOON)
        assert isinstance(said, BatchActionRejected)
        assert said.refusal == "recipient_not_found"


def test_an_accepted_list_is_waited_for() -> None:
    story = Story()
    before = batch(story, BatchStatus.RUNNING)
    after = evolve(before, verdict(before, story.ask(RecipientsAddRequested, addition=LIST), NOON))
    assert not after.landed
    assert LIST.addition_id in after.incomplete


def test_a_lost_import_fails_the_batch_and_cannot_be_retried() -> None:
    story = Story()
    lost = story.ask(BatchImportFailed, addition_id=story.addition_id, reason="rows_lost")
    before = batch(story, BatchStatus.RUNNING, import_failed=True)
    said = verdict(before, lost, NOON)
    assert isinstance(said, BatchFailed)
    assert (said.reason_code, said.finished_at) == ("import_failed", NOON)
    assert said.reason is not None
    assert "batch again from its list" in said.reason
    again = verdict(evolve(before, said), story.ask(BatchRetryRequested), NOON)
    assert isinstance(again, BatchActionRejected)
    assert again.refusal == "import_failed"


@pytest.mark.parametrize("asked", ASKED.values())
def test_of_a_deleted_batch_nothing_can_be_asked(asked: type[BatchCommand]) -> None:
    story = Story()
    said = verdict(batch(story, BatchStatus.PAUSED, deleted=True), story.ask(asked), NOON)
    assert isinstance(said, BatchActionRejected)
    assert (said.refusal, said.allowed_actions) == ("deleted", ())


def test_rename_and_delete_are_facts() -> None:
    assert not NEEDS_A_VERDICT & {BatchRenamed, BatchDeleted}
    with pytest.raises(TypeError):
        verdict(batch(Story(), BatchStatus.RUNNING), Story().ask(BatchDeleted), NOON)


@given(st.lists(st.sampled_from(list(ASKED)), max_size=12), st.integers(0, 2), st.data())
def test_whatever_is_asked_in_whatever_order_the_numbers_go_up_by_one_and_epochs_never_back(
    actions: list[Action], failures: int, data: st.DataObject
) -> None:
    story = Story()
    created = story.created(start=data.draw(st.booleans()))
    state = Batch(created, Status(), landed=True, failures=failures)
    told: list[BatchStatusEvent] = []
    for command in [created, *(story.ask(ASKED[action]) for action in actions)]:
        said = verdict(state, command, NOON)
        told.append(said)
        state = evolve(evolve(state, said), said)
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))
    assert [event.command_no for event in told] == [event.sequence for event in told]
    epochs = [event.epoch for event in told]
    assert epochs == sorted(epochs)
    assert evolve(state, told[0]) == state
