"""Whom a retry is for is derived from what is known at each grant, and remembered nowhere."""

from contracts.batches import BatchCancelRequested, BatchPauseRequested, BatchRetryRequested
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.outcomes import Outcome
from tests.conftest import DatabaseFactory
from tests.faults.mutants.retries import RemembersWhomToRetry
from tests.scheduler_life import Life, landed
from tests.scheduler_story import Story, account, ended
from tests.scheduler_world import world_on


def called_after_a_late_failure(life: Life) -> int:
    """A call is live at the retry and is not answered then: how often is its recipient called?"""
    story = Story(recipients=1)
    landed(life, story)
    (first,) = life.calls
    life.ask(story.ask(BatchCancelRequested))
    life.ask(story.ask(BatchRetryRequested))
    life.calls.remove(first)
    life.end(ended(first, Outcome.NO_ANSWER))
    return 1 + len(life.calls)


def called_after_a_late_answer(life: Life) -> int:
    """An unknown call is to be retried, but turns out to have been answered before its turn."""
    story = Story(recipients=2)
    life.limit = 1
    landed(life, story)
    (first,) = life.calls
    life.calls.clear()
    life.end(ended(first, Outcome.UNKNOWN))
    (second,) = life.calls
    life.calls.clear()
    life.ask(story.ask(BatchCancelRequested))
    life.ask(story.ask(BatchRetryRequested, include_unknown=True))  # its slot is still taken
    life.end(ended(first, Outcome.COMPLETED))
    life.end(ended(second, Outcome.COMPLETED))
    return 1 + sum(grant.recipient_id == first.recipient_id for grant in life.calls)


def test_a_failure_that_comes_after_the_retry_is_retried() -> None:
    assert called_after_a_late_failure(Life()) == 2


def test_an_unknown_call_that_turns_out_answered_is_not_dialled_again() -> None:
    assert called_after_a_late_answer(Life()) == 1


def test_a_retry_that_remembers_and_misses_a_late_failure_is_found_out() -> None:
    assert called_after_a_late_failure(RemembersWhomToRetry()) == 1


def test_a_retry_that_remembers_and_redials_the_answered_is_found_out() -> None:
    assert called_after_a_late_answer(RemembersWhomToRetry()) == 2


def grants(events: list[Event]) -> list[RecipientQueued]:
    return [event for event in events if isinstance(event, RecipientQueued)]


async def test_the_rows_tell_the_same_of_a_late_failure_and_of_a_late_answer(
    database: DatabaseFactory,
) -> None:
    late, answered = Story("late", recipients=1), Story("answered", recipients=2)
    async with world_on(await database()) as world:
        (first,) = grants(await world.when(account(1), late.created(), late.chunk()))
        await world.when(late.ask(BatchCancelRequested), late.ask(BatchRetryRequested))
        (again,) = grants(await world.when(ended(first, Outcome.NO_ANSWER)))
        assert (again.recipient_id, again.run_attempt) == (first.recipient_id, 1)
        await world.when(late.ask(BatchPauseRequested), ended(again))
        (lost,) = grants(await world.when(answered.created(), answered.chunk()))
        (held,) = grants(await world.when(ended(lost, Outcome.UNKNOWN)))
        retry = (
            answered.ask(BatchCancelRequested),
            answered.ask(BatchRetryRequested, include_unknown=True),
        )
        assert grants(await world.when(*retry)) == []
        said = await world.when(ended(lost), ended(held))
        assert grants(said) == []
        assert type(said[-1]).__name__ == "BatchCompleted"
