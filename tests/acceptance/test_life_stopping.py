"""Stopped is stopped, by the ledger; who was left goes on when people say so, each called once."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import pytest

from contracts.lifecycle import allows
from contracts.status import BatchActionRejected, BatchStatusEvent
from contracts.statuses import Action, BatchStatus
from contracts.topics import BATCH_STATUS
from tests.heard import heard
from tests.house import House
from tests.life import BRIEF, ENDLESS, Life, at_once, people

LIMIT = 4


@pytest.fixture
def life(standing: House) -> Iterator[Life]:
    standing.prepare(concurrency=LIMIT)
    standing.behave(**ENDLESS)
    opened = Life(standing)
    yield opened
    opened.close()


def other_people_can_be_called(life: Life, slots: int) -> None:
    """Whoever decides has had every chance to call somebody of the batch that is stopped."""
    others = people(slots)
    life.over(life.create(others))
    life.everyone_was_called_once(others)


def test_a_paused_batch_lets_its_calls_end_and_begins_none_until_it_is_resumed(life: Life) -> None:
    called = people(10)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    paused = life.done(batch_id, "pause")
    assert (paused["status"], paused["allowed_actions"][0]) == ("PAUSED", "resume")
    begun = life.house.seq()
    assert len(life.live(called)) == LIMIT, "nobody was cut off"
    life.house.behave(**BRIEF)
    ended = life.hang_up(called)
    life.until(batch_id, phase="paused", completed=LIMIT, pending=len(called) - LIMIT)
    other_people_can_be_called(life, LIMIT)
    assert not life.house.ledger(after=begun).to(called).of("request")

    life.done(batch_id, "resume")
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)
    left = {entry["to"] for entry in life.house.ledger(after=begun).to(called).of("request")}
    assert left == set(called) - set(ended)


def test_who_was_never_called_when_a_batch_was_cancelled_is_called_after_a_retry(
    life: Life,
) -> None:
    called = people(10)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    life.done(batch_id, "cancel")
    begun = life.house.seq()
    life.until(batch_id, status="CANCELLED", phase="finishing", in_progress=LIMIT)
    life.house.behave(**BRIEF)
    ended = life.hang_up(called)
    life.until(batch_id, phase="cancelled", completed=LIMIT, pending=len(called) - LIMIT)
    other_people_can_be_called(life, LIMIT)
    assert not life.house.ledger(after=begun).to(called).of("request")

    assert life.done(batch_id, "retry")["status"] == "SCHEDULED"
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)
    assert len(ended) == LIMIT, "and who was reached before was not called again"


def test_a_batch_is_retried_while_calls_of_its_earlier_run_are_live(life: Life) -> None:
    called = people(LIMIT + 3)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    life.done(batch_id, "cancel")
    life.done(batch_id, "retry")
    life.until(batch_id, status="RUNNING", in_progress=LIMIT)
    life.hang_up(called, 1)
    life.until_live(called, LIMIT)
    assert life.ledger(called).most_at_once() == LIMIT, "the earlier calls hold their slots"
    life.house.behave(**BRIEF)
    life.hang_up(called)
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)


def test_a_retry_calls_who_failed_or_did_not_answer_and_nobody_else(life: Life) -> None:
    life.house.behave(**BRIEF)
    endings = [f"000{n}" for n in range(1, 7)]
    called = people(6, *endings)
    batch_id = life.create(called)
    assert life.over(batch_id)["result"] == "completed_partial"
    life.done(batch_id, "retry")
    life.over(batch_id)
    asked = Counter(entry["to"][-4:] for entry in life.ledger(called).of("request"))
    assert asked == {"0001": 1, "0002": 2, "0003": 2, "0004": 1, "0005": 2, "0006": 2}
    assert {row["attempts"] for row in life.rows(batch_id)} == {1, 2}

    happy = people(2, "0001", "0004")
    batch_id = life.create(happy)
    assert "retry" not in life.over(batch_id)["allowed_actions"]
    assert life.ask(batch_id, "retry").verdict == (409, "action_not_allowed")


def test_the_same_action_sent_twice_at_once_is_done_once(life: Life) -> None:
    called = people(LIMIT + 1)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    for action in ("pause", "resume", "cancel", "retry"):
        answers = at_once([partial(life.ask, batch_id, action)] * 2)
        assert sorted(answer.code for answer in answers) == [200, 409], (action, answers)
        if action == "retry":
            life.until(batch_id, status="RUNNING")


def test_ten_actions_at_once_are_judged_one_after_the_other(life: Life) -> None:
    called = people(LIMIT + 2)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    wished = ["pause", "resume", "pause", "cancel", "retry"] * 2
    answers = at_once([partial(life.ask, batch_id, action) for action in wished])
    assert {answer.code for answer in answers} <= {200, 409}, answers

    said = statuses(life, batch_id)
    assert [event.sequence for event in said] == list(range(1, len(said) + 1))
    judged = [event for event in said if event.command_id is not None and event.command_no > 1]
    assert [event.command_no for event in judged] == list(range(2, 12)), "each once, in order"
    refused = sum(isinstance(event, BatchActionRejected) for event in judged)
    assert refused == sum(answer.code == 409 for answer in answers)
    for before, event in pairwise(said):
        is_by_the_table(before, event)
    if life.show(batch_id)["status"] == "PAUSED":
        life.done(batch_id, "resume")
    elif life.show(batch_id)["status"] == "CANCELLED":
        life.done(batch_id, "retry")
    life.house.behave(**BRIEF)
    life.hang_up(called)
    assert life.over(batch_id)["status"] == "COMPLETED"
    life.everyone_was_called_once(called)


def statuses(life: Life, batch_id: str) -> list[BatchStatusEvent]:
    events = heard(life.house.endpoints["kafka"], BATCH_STATUS)
    return [e for e in events if isinstance(e, BatchStatusEvent) and str(e.batch_id) == batch_id]


WHAT = {
    "BatchPaused": Action.PAUSE,
    "BatchResumed": Action.RESUME,
    "BatchCancelled": Action.CANCEL,
    "BatchRetried": Action.RETRY,
}


def is_by_the_table(before: BatchStatusEvent, event: BatchStatusEvent) -> None:
    name = type(event).__name__
    if isinstance(event, BatchActionRejected):
        assert not allows(before.status, Action(event.action), failures=0)
        assert (event.status, event.epoch) == (before.status, before.epoch)
    elif name in WHAT:
        assert allows(before.status, WHAT[name], failures=0)
    else:
        assert before.status is BatchStatus.SCHEDULED, "it started by itself"
