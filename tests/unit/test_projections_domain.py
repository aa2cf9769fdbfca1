"""What people see of a batch follows from the log alone, and never promises too much."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batches import MOST_ATTEMPTS, BatchPauseRequested, RetryPolicy
from contracts.calls import CallCompleted, CallPlacing, CallReturned, CallStarted, ReturnReason
from contracts.dispatch import RecipientQueued
from contracts.outcomes import Outcome, RecipientStatus
from contracts.progress import (
    Evidence,
    Progress,
    Rules,
    Stage,
    evolve,
    furthest_of_calls,
    furthest_of_recipients,
    recipient_status,
)
from contracts.statuses import Action, BatchStatus, Result
from services.projections.domain.batch import State
from services.projections.domain.evidence import (
    CommandGapError,
    fresh_commands,
)
from services.projections.domain.phase import Phase, phase_of
from services.projections.domain.position import BatchPosition, EntryPosition, read_position
from services.projections.domain.recipient import call_status, next_attempt_at
from services.projections.domain.standing import UNCALLED, progress_of, shown
from tests.batch_seen import BUSY_ONCE, DONE, NOON, PLACING, a_batch


def test_nobody_is_counted_twice_or_left_out() -> None:
    batch = a_batch(standings={DONE: 1, PLACING: 1})
    counts = {status: batch.count(status) for status in RecipientStatus}
    assert sum(counts.values()) == batch.total
    assert counts[RecipientStatus.PENDING] == 1
    assert (batch.remaining, batch.percent) == (2, 33.3)


def test_a_retry_makes_those_not_reached_pending_again_without_touching_them() -> None:
    ended = a_batch(BatchStatus.COMPLETED, standings={DONE: 1, BUSY_ONCE: 2})
    assert ended.count(RecipientStatus.NO_ANSWER) == 2
    assert Action.RETRY in ended.allowed_actions
    again = replace(ended, state=State(status=BatchStatus.RUNNING, epoch=2, retry_epoch=2))
    assert again.count(RecipientStatus.NO_ANSWER) == 0
    assert again.count(RecipientStatus.PENDING) == 2
    waiting = again.standings_shown_as(RecipientStatus.PENDING, None)
    assert set(waiting) == {UNCALLED, BUSY_ONCE}


def test_a_batch_that_has_ended_is_not_shown_so_while_somebody_is_called() -> None:
    batch = a_batch(BatchStatus.COMPLETED, standings={DONE: 2, PLACING: 1})
    assert batch.status is BatchStatus.RUNNING
    assert batch.result is None
    assert phase_of(batch, NOON) is Phase.FINISHING


@pytest.mark.parametrize(
    ("standings", "result"),
    [
        ({DONE: 3}, Result.COMPLETED),
        ({DONE: 2, BUSY_ONCE: 1}, Result.COMPLETED_PARTIAL),
        ({BUSY_ONCE: 3}, Result.FAILED),
    ],
)
def test_the_result_says_whether_all_some_or_none_were_reached(
    standings: dict[str, int], result: Result
) -> None:
    assert a_batch(BatchStatus.COMPLETED, standings=standings).result is result


def test_who_was_pending_when_time_ran_out_has_expired_until_a_retry() -> None:
    batch = a_batch(BatchStatus.COMPLETED, standings={DONE: 1}, expired_epoch=1)
    assert batch.outcomes[Outcome.EXPIRED] == batch.count(RecipientStatus.FAILED) == 2
    assert batch.status is BatchStatus.COMPLETED
    retried = replace(batch, state=State(status=BatchStatus.RUNNING, epoch=2))
    assert retried.count(RecipientStatus.PENDING) == 2


@given(
    stage=st.sampled_from(Stage),
    epoch=st.integers(0, 5),
    attempt=st.integers(0, 21),
    run_attempt=st.integers(0, 5),
    outcome=st.sampled_from(Outcome),
    retry_epoch=st.integers(0, 6),
)
def test_a_standing_gives_the_same_status_as_the_progress_it_stands_for(
    stage: Stage, epoch: int, attempt: int, run_attempt: int, outcome: Outcome, retry_epoch: int
) -> None:
    ended = outcome if stage >= Stage.UNKNOWN else None
    progress = Progress(
        3, stage, epoch, attempt, run_attempt, ended, NOON if ended is not None else None
    )
    standing = f"{stage.value}:{epoch}:{attempt}:{run_attempt}:{ended or ''}"
    rules = Rules(RetryPolicy(max_attempts=3), retry_epoch)
    seen = shown(progress_of(standing), rules, expired=False, completed=False)
    assert seen.status is recipient_status(progress, rules)


def test_a_truth_that_comes_when_its_batch_has_ended_leaves_it_ended() -> None:
    late = Progress(1, Stage.ENDED, 1, 1, MOST_ATTEMPTS, Outcome.BUSY, NOON)
    passed_over = Rules(RetryPolicy(), retry_epoch=2)  # by a retry that did not mean the unknown
    ended = shown(late, passed_over, expired=False, completed=True)
    assert (ended.status, ended.final) == (RecipientStatus.NO_ANSWER, True)
    assert not shown(late, passed_over, expired=False, completed=False).final


def evidence() -> st.SearchStrategy[Evidence]:
    facts = {"account_id": "default", "at": NOON, "batch_id": UUID(int=1), "epoch": 1, "attempt": 1}

    def event(kind: int, grant_no: int, recipient: int) -> Evidence:
        own = facts | {
            "recipient_id": UUID(int=recipient),
            "call_id": UUID(int=recipient * 100 + grant_no),
            "grant_no": grant_no,
        }
        match kind:
            case 0:
                return RecipientQueued(
                    **own, sealed="", agent_id="anna", from_number="+331", limit=1
                )
            case 1:
                return CallPlacing(**own, carrier="simulator", send_before=NOON)
            case 2:
                return CallStarted(**own, carrier="simulator", carrier_call_id="1")
            case 3:
                return CallReturned(**own, reason=ReturnReason.NUMBER_BUSY, not_before=NOON)
            case _:
                return CallCompleted(
                    **own, carrier="simulator", ended_at=NOON, cause="sip_200",
                    outcome=Outcome.UNKNOWN if kind == 4 else Outcome.COMPLETED,
                )  # fmt: skip

    return st.builds(event, st.integers(0, 5), st.integers(1, 3), st.integers(1, 3))


@given(st.lists(evidence(), max_size=30))
def test_of_a_poll_the_furthest_event_tells_what_folding_each_would(events: list[Evidence]) -> None:
    one_by_one: dict[UUID, Progress] = {}
    for event in events:
        known = one_by_one.get(event.recipient_id, Progress())
        one_by_one[event.recipient_id] = evolve(known, event)
    calls = furthest_of_calls(events)
    recipients = furthest_of_recipients(calls)
    assert {e.recipient_id: evolve(Progress(), e) for e in recipients} == one_by_one
    assert {e.call_id for e in calls} == {e.call_id for e in events}
    assert len(calls) == len({e.call_id for e in events})


def a_command(number: int) -> BatchPauseRequested:
    return BatchPauseRequested(
        account_id="default", at=NOON, batch_id=UUID(int=1), command_no=number,
        command_id=UUID(int=number), actor="api",
    )  # fmt: skip


def test_a_command_applied_already_is_ignored_and_a_gap_is_said() -> None:
    known = {UUID(int=1): 2}
    fresh = fresh_commands([a_command(n) for n in (1, 2, 3, 3, 4)], known)
    assert [command.command_no for command in fresh] == [3, 4]
    with pytest.raises(CommandGapError):
        fresh_commands([a_command(4)], known)


def test_the_next_attempt_is_when_the_rules_allow_it() -> None:
    rules = Rules(RetryPolicy(max_attempts=2, delay_seconds=(60,)))
    busy = Progress(1, Stage.ENDED, 1, 1, 1, Outcome.BUSY, NOON)
    assert next_attempt_at(busy, rules, None) == NOON + timedelta(seconds=60)
    back = Progress(1, Stage.RETURNED, 1, 0, 0, not_before=NOON)
    assert next_attempt_at(back, rules, None) == NOON
    assert next_attempt_at(Progress(), rules, NOON) == NOON


@pytest.mark.parametrize(
    ("stage", "outcome", "status"),
    [
        (Stage.QUEUED, None, "QUEUED"),
        (Stage.PLACING, None, "IN_PROGRESS"),
        (Stage.RETURNED, None, "RETURNED"),
        (Stage.UNKNOWN, Outcome.UNKNOWN, "FAILED"),
        (Stage.ENDED, Outcome.BUSY, "NO_ANSWER"),
    ],
)
def test_a_call_is_told_in_the_words_of_its_recipient(
    stage: Stage, outcome: Outcome | None, status: str
) -> None:
    assert call_status(stage, outcome) == status


def opaque(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


def test_a_position_is_read_as_it_was_given() -> None:
    batch_id = uuid4()
    assert read_position(opaque(f"batch:{batch_id}:command:4")) == BatchPosition(batch_id, 4)
    assert read_position(opaque(f"batch:{batch_id}:sequence:4")) == BatchPosition(batch_id, 0, 4)
    entry = EntryPosition("agent", "sales:anna", 2)
    assert read_position(opaque("directory:agent:sales:anna:2")) == entry


@pytest.mark.parametrize(
    "text",
    ["", "%", "é", opaque("batch:7:command:1"), opaque("directory:agent:a:-1"), opaque("x:1"),
     opaque(f"batch:{UUID(int=7)}:command:99999999999"), opaque("directory:agent:a:x")],
)  # fmt: skip
def test_what_no_command_answered_with_is_no_position(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them is answered alike
        read_position(text)
