"""A recipient's progress is the same whatever order and however often the evidence comes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.batches import RetryPolicy
from contracts.calls import CallCompleted, CallPlacing, CallReturned, CallStarted, ReturnReason
from contracts.dispatch import RecipientQueued
from contracts.ids import call_id_of
from contracts.outcomes import Outcome, RecipientStatus
from contracts.progress import (
    ATTEMPT_CAP,
    Progress,
    Rules,
    Stage,
    called_again_from,
    evolve,
    recipient_status,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BATCH, RECIPIENT = UUID(int=1), UUID(int=2)
ONCE = Rules(RetryPolicy())
Evidence = RecipientQueued | CallPlacing | CallStarted | CallCompleted | CallReturned


def story(
    grant_no: int, *, attempt: int, outcome: Outcome | None, epoch: int = 1
) -> list[Evidence]:
    """All that is said of one grant; outcome None: it was given back."""
    about = {
        "account_id": "default",
        "at": NOON,
        "batch_id": BATCH,
        "recipient_id": RECIPIENT,
        "call_id": call_id_of(BATCH, RECIPIENT, grant_no),
        "grant_no": grant_no,
        "attempt": attempt,
        "run_attempt": attempt,
        "epoch": epoch,
    }
    queued = RecipientQueued(**about, sealed="", agent_id="a", from_number="+1", limit=1)
    if outcome is None:
        returned = CallReturned(**about, reason=ReturnReason.GATE_CLOSED, not_before=NOON)
        return [queued, returned]
    return [
        queued,
        CallPlacing(**about, carrier="c", send_before=NOON),
        CallStarted(**about, carrier="c", carrier_call_id="1"),
        CallCompleted(**about, carrier="c", cause="x", outcome=outcome, ended_at=NOON),
    ]


def fold(events: list[Evidence]) -> Progress:
    progress = Progress()
    for event in events:
        progress = evolve(progress, event)
    return progress


@st.composite
def lives(draw: st.DrawFn) -> list[Evidence]:
    events: list[Evidence] = []
    attempt = 0
    for grant_no in range(1, draw(st.integers(1, 4)) + 1):
        outcome = draw(st.sampled_from([None, *Outcome]))
        events += story(grant_no, attempt=attempt + 1, outcome=outcome)
        attempt += outcome is not None
    return events[: draw(st.integers(0, len(events)))]


@given(lives(), st.data())
def test_any_order_and_any_repeat_folds_the_same(life: list[Evidence], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(life))) if life else []
    assert fold(data.draw(st.permutations([*life, *again]))) == fold(life)


def test_a_grant_given_back_is_no_attempt_and_leaves_the_recipient_pending() -> None:
    progress = fold(story(1, attempt=1, outcome=None))
    assert (progress.attempt, progress.run_attempt) == (0, 0)
    assert recipient_status(progress, ONCE) is RecipientStatus.PENDING


def test_a_known_end_supersedes_unknown_but_not_the_next_call() -> None:
    late = story(1, attempt=1, outcome=Outcome.COMPLETED)[-1]
    unknown = fold(story(1, attempt=1, outcome=Outcome.UNKNOWN))
    assert unknown.stage is Stage.UNKNOWN
    assert evolve(unknown, late).outcome is Outcome.COMPLETED
    redialled = fold(
        [*story(1, attempt=1, outcome=Outcome.UNKNOWN), *story(2, attempt=2, outcome=Outcome.BUSY)]
    )
    assert evolve(redialled, late) == redialled


def test_a_live_call_is_in_progress_from_the_moment_it_is_announced() -> None:
    life = story(1, attempt=1, outcome=Outcome.COMPLETED)
    seen = [recipient_status(fold(life[:n]), ONCE).value for n in range(5)]
    assert seen == ["PENDING", "QUEUED", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]


def test_the_policy_calls_again_after_its_delays_and_then_no_more() -> None:
    rules = Rules(RetryPolicy(max_attempts=3, delay_seconds=(60, 600), on=(Outcome.BUSY,)))
    due = [
        called_again_from(fold(story(n, attempt=n, outcome=Outcome.BUSY)), rules) for n in (1, 2, 3)
    ]
    assert due == [NOON + timedelta(seconds=60), NOON + timedelta(seconds=600), None]
    other = fold(story(1, attempt=1, outcome=Outcome.DECLINED))
    assert called_again_from(other, rules) is None


def test_a_retry_touches_only_what_failed_before_it() -> None:
    retried = Rules(RetryPolicy(), retry_epoch=2)

    def again(outcome: Outcome, epoch: int) -> bool:
        life = story(1, attempt=1, outcome=outcome, epoch=epoch)
        return called_again_from(fold(life), retried) is not None

    assert [o for o in Outcome if again(o, 1)] == [
        o for o in Outcome if o not in {Outcome.COMPLETED, Outcome.VOICEMAIL, Outcome.UNKNOWN}
    ]
    assert not any(again(outcome, 2) for outcome in Outcome)


def test_unknown_is_redialled_only_when_a_person_asks() -> None:
    unknown = fold(story(1, attempt=1, outcome=Outcome.UNKNOWN))
    assert called_again_from(unknown, Rules(RetryPolicy(), retry_epoch=2)) is None
    policy = RetryPolicy(max_attempts=9, on=tuple(Outcome))
    assert called_again_from(unknown, Rules(policy, retry_epoch=2)) is None
    asked = Rules(RetryPolicy(), retry_epoch=2, unknown_retry_epoch=2)
    assert called_again_from(unknown, asked) == NOON


def test_no_rule_and_no_run_goes_beyond_the_cap() -> None:
    tired = fold(story(ATTEMPT_CAP, attempt=ATTEMPT_CAP, outcome=Outcome.BUSY))
    assert called_again_from(tired, Rules(RetryPolicy(), retry_epoch=9)) is None
