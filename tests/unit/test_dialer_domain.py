"""Given a call, when evidence comes, then this is said of it, and nothing twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.calls import (
    CallCompleted,
    CallEvent,
    CallPlacing,
    CallReturned,
    CallStarted,
    ReturnReason,
)
from contracts.outcomes import Outcome
from services.dialer.call import Call, State, further, told
from services.dialer.carriers.port import Ambiguous, Conversation, Ending, Refused, Sighting
from services.dialer.domain import (
    CouldNotSay,
    Evidence,
    GivenBack,
    NoTrace,
    Overdue,
    Rules,
    Settled,
    settle,
)
from services.dialer.telling import facts

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULES = Rules(
    horizon=timedelta(seconds=120), silence=timedelta(seconds=15), overdue=timedelta(seconds=1)
)
RINGING = Sighting("carrier-1")
ANSWERED = Sighting("carrier-1", answered_at=NOW, answered_by="human")
OVER = Sighting("carrier-1", ending=Ending(NOW, Outcome.COMPLETED, "answered_by_human", 3.0))
REFUSED = Refused(Outcome.FAILED, "http_400")
OVERLOADED = GivenBack(ReturnReason.CARRIER_OVERLOADED, wait=timedelta(seconds=1))


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def call(state: State = State.INTENT, **known: object) -> Call:
    base = Call(
        call_id=UUID(int=1),
        account_id="default",
        batch_id=UUID(int=2),
        recipient_id=UUID(int=3),
        grant_no=1,
        attempt=1,
        run_attempt=1,
        epoch=1,
        state=state,
        max_duration_seconds=600,
        requested_at=NOW,
        send_before=NOW + seconds(2),
        announced_at=NOW,
        carrier="simulator",
    )
    return replace(base, **known)  # type: ignore[arg-type]


def unknown(**known: object) -> Call:
    return call(State.UNKNOWN, unknown_since=NOW, **known)


def given_up() -> Call:
    return call(State.ENDED, outcome=Outcome.UNKNOWN, ended_at=NOW, unknown_since=NOW)


def when(before: Call, evidence: Evidence, after: float = 0) -> Settled:
    return settle(before, evidence, now=NOW + seconds(after), rules=RULES)


def said(settled: Settled) -> list[str]:
    return [type(event).__name__ for event in settled.events]


def test_an_accepted_request_starts_the_call() -> None:
    settled = when(call(), RINGING)
    assert (settled.call.state, said(settled)) == (State.STARTED, ["CallStarted"])
    assert settled.call.next_check_at == NOW + RULES.silence


def test_a_callback_that_overtakes_the_answer_starts_the_call_and_the_answer_says_nothing() -> None:
    settled = when(call(), ANSWERED)
    assert said(settled) == ["CallStarted"]
    assert said(when(settled.call, RINGING)) == []


def test_an_ending_that_comes_first_is_told_with_its_beginning() -> None:
    settled = when(call(), OVER)
    assert said(settled) == ["CallStarted", "CallCompleted"]
    assert said(when(settled.call, RINGING)) == []


@pytest.mark.parametrize("evidence", [RINGING, ANSWERED, OVER, REFUSED, OVERLOADED])
@pytest.mark.parametrize("before", [call(), unknown(), call(State.STARTED), given_up()])
def test_the_same_evidence_twice_says_nothing_more(before: Call, evidence: Evidence) -> None:
    once = when(before, evidence)
    assert said(when(once.call, evidence)) == []
    assert when(once.call, evidence).call == once.call


@given(st.permutations([RINGING, ANSWERED, OVER, OVER, RINGING]))
def test_in_whatever_order_callbacks_come_the_story_is_the_same(order: list[Evidence]) -> None:
    settled, story = Settled(call()), list[str]()
    for evidence in order:
        settled = when(settled.call, evidence)
        story += said(settled)
    assert story == ["CallStarted", "CallCompleted"]
    assert settled.call.outcome is Outcome.COMPLETED


def test_a_definite_refusal_ends_the_attempt() -> None:
    settled = when(call(), REFUSED)
    assert said(settled) == ["CallCompleted"]
    assert settled.call.cause == "http_400"


def test_an_overloaded_carrier_gives_the_call_back_for_a_while() -> None:
    settled = when(call(), OVERLOADED)
    (returned,) = settled.events
    assert isinstance(returned, CallReturned)
    assert returned.not_before == NOW + seconds(1)
    assert settled.call.state is State.RETURNED


def test_a_started_call_is_never_given_back() -> None:
    started = call(State.STARTED, started_at=NOW)
    assert when(started, OVERLOADED) == Settled(started)


def test_what_may_have_been_placed_is_unknown_and_looked_up_at_once() -> None:
    settled = when(call(), Ambiguous("TimeoutError"), after=2)
    assert (settled.call.state, settled.events) == (State.UNKNOWN, ())
    assert settled.call.next_check_at == NOW + seconds(2)


def test_an_announced_intent_left_behind_is_unknown() -> None:
    assert when(call(), Overdue(), after=3).call.state is State.UNKNOWN


def test_an_intent_left_behind_before_its_announcement_was_recorded_is_given_back() -> None:
    settled = when(call(announced_at=None), Overdue(), after=3)
    (returned,) = settled.events
    assert isinstance(returned, CallReturned)
    assert (returned.reason, returned.detail) == (ReturnReason.DEADLINE_PASSED, "dialer_lost")


def test_an_intent_within_its_deadline_is_left_alone() -> None:
    settled = when(call(announced_at=None), Overdue(), after=2.9)
    assert settled.call.state is State.INTENT
    assert settled.call.next_check_at == NOW + seconds(3)


def test_a_call_without_trace_is_unknown_until_the_horizon() -> None:
    settled = when(unknown(), NoTrace(NOW + seconds(119)), after=121)
    assert (settled.call.state, settled.events) == (State.UNKNOWN, ())


def test_a_call_without_trace_past_the_horizon_ends_as_unknown() -> None:
    settled = when(unknown(), NoTrace(NOW + seconds(120)), after=120)
    (completed,) = settled.events
    assert isinstance(completed, CallCompleted)
    assert (completed.outcome, completed.cause) == (Outcome.UNKNOWN, "placement_unknown")


@pytest.mark.parametrize("after", [0.0, 119, 1000, 100_000])
@pytest.mark.parametrize("before", [unknown(), call(State.STARTED, started_at=NOW), given_up()])
def test_nothing_follows_from_a_carrier_that_cannot_say(before: Call, after: float) -> None:
    settled = when(before, CouldNotSay(), after=after)
    assert (settled.call.state, settled.events) == (before.state, ())
    assert settled.call.next_check_at is not None
    assert settled.call.next_check_at > NOW + seconds(after)


def test_a_carrier_that_never_answers_is_asked_ever_more_rarely() -> None:
    after_an_hour = when(unknown(), CouldNotSay(), after=3600).call.next_check_at
    assert after_an_hour == NOW + seconds(3600) + RULES.horizon


def test_what_was_said_is_recorded_once_even_where_a_look_up_told_the_ending_first() -> None:
    said_then = Conversation(({"role": "agent", "text": "Hello"},))
    ending = Ending(NOW, Outcome.COMPLETED, "answered_by_human", 3.0, said_then)
    callback = replace(OVER, ending=ending)
    looked_up = when(call(), OVER)
    assert looked_up.conversation is None
    told_later = when(looked_up.call, callback)
    assert (told_later.conversation, told_later.events) == (said_then, ())
    assert when(told_later.call, callback).conversation is None


def test_a_call_given_back_unsent_names_no_request() -> None:
    (unsent,) = when(call(), GivenBack(ReturnReason.DEADLINE_PASSED)).events
    (refused,) = when(call(), OVERLOADED).events
    assert (unsent.requested_at, refused.requested_at) == (None, NOW)


def test_a_look_is_due_at_the_horizon_itself() -> None:
    assert when(unknown(), CouldNotSay(), after=100).call.next_check_at == NOW + RULES.horizon


def test_an_unknown_call_found_ringing_goes_on() -> None:
    assert said(when(unknown(), RINGING)) == ["CallStarted"]


@pytest.mark.parametrize("evidence", [OVER, REFUSED])
def test_later_evidence_supersedes_unknown(evidence: Evidence) -> None:
    settled = when(given_up(), evidence)
    assert said(settled) == ["CallCompleted"]
    assert settled.call.outcome is not Outcome.UNKNOWN
    assert said(when(settled.call, OVER)) == []


def test_a_call_given_up_and_then_seen_alive_is_followed_to_its_end() -> None:
    alive = when(given_up(), RINGING)
    assert (alive.call.state, alive.events) == (State.ENDED, ())
    assert alive.call.next_check_at is not None
    assert said(when(alive.call, OVER)) == ["CallCompleted"]


def no_trace(before: Call, after: float) -> Settled:
    return when(before, NoTrace(NOW + seconds(after)), after)


def test_a_started_call_not_found_for_longer_than_the_horizon_ends_as_unknown() -> None:
    missed = no_trace(call(State.STARTED, started_at=NOW), after=30)
    assert (missed.call.state, missed.events) == (State.STARTED, ())
    assert missed.call.next_check_at == NOW + seconds(30.5)
    assert no_trace(missed.call, after=149).call.state is State.STARTED
    settled = no_trace(missed.call, after=150)
    assert said(settled) == ["CallCompleted"]
    assert (settled.call.outcome, settled.call.cause) == (Outcome.UNKNOWN, "carrier_lost_it")


@pytest.mark.parametrize("sign_of_life", [RINGING, ANSWERED])
def test_a_started_call_found_again_is_not_given_up(sign_of_life: Sighting) -> None:
    missed = no_trace(call(State.STARTED, started_at=NOW), after=30)
    found = when(missed.call, sign_of_life, after=140)
    assert no_trace(found.call, after=160).call.state is State.STARTED


def test_once_not_found_ends_no_call_however_long_it_was_unknown_before_it_began() -> None:
    begun = when(unknown(), RINGING, after=119)
    assert no_trace(begun.call, after=500).call.state is State.STARTED


def test_what_a_carrier_had_lost_and_tells_at_last_supersedes_unknown() -> None:
    missed = no_trace(call(State.STARTED, started_at=NOW), after=30)
    lost = no_trace(missed.call, after=150)
    told_late = when(lost.call, OVER, after=160)
    assert said(told_late) == ["CallCompleted"]
    assert told_late.call.outcome is Outcome.COMPLETED


def test_a_call_given_back_stays_so_whatever_comes() -> None:
    returned = call(State.RETURNED)
    for evidence in (RINGING, OVER, REFUSED, OVERLOADED, Overdue(), NoTrace(NOW)):
        assert when(returned, evidence).events == ()
        assert when(returned, evidence).call.state is State.RETURNED


EVENTS: list[CallEvent] = [
    CallPlacing(**facts(call(), NOW), carrier="simulator", send_before=NOW + seconds(2)),
    CallStarted(**facts(call(), NOW), carrier="simulator", carrier_call_id="carrier-1"),
    *(
        CallCompleted(
            **facts(call(), NOW), outcome=outcome, cause="x", carrier="simulator", ended_at=NOW
        )
        for outcome in (Outcome.UNKNOWN, Outcome.BUSY)
    ),
]


def folded(events: list[CallEvent]) -> Call:
    known: Call | None = None
    for event in events:
        known = further(known, told(event))
    assert known is not None
    return known


def test_our_own_events_fold_the_same_in_any_order_and_with_repeats() -> None:
    for order in permutations(EVENTS):
        assert folded([*order, *order]) == folded(EVENTS)


@pytest.mark.parametrize(
    ("count", "state"), [(1, State.UNKNOWN), (2, State.STARTED), (3, State.ENDED)]
)
def test_a_lost_database_takes_an_announced_call_for_rung(count: int, state: State) -> None:
    assert folded(EVENTS[:count]).state is state


def test_an_announcement_followed_by_a_return_is_over() -> None:
    returned = CallReturned(**facts(call(), NOW), reason=ReturnReason.DEADLINE_PASSED)
    assert folded([EVENTS[0], returned]).state is State.RETURNED
    assert folded([returned, EVENTS[0]]).state is State.RETURNED
