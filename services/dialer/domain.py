"""What evidence makes of a call: nothing but the carrier's word or the horizon settles UNKNOWN.

Evidence may come twice, late and in any order: each beginning and each ending is said once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from contracts.calls import CallEvent, CallReturned, ReturnReason
from contracts.outcomes import Outcome
from services.dialer.call import Call, State
from services.dialer.carriers.port import Ambiguous, Conversation, Ending, Refused, Sighting
from services.dialer.telling import completed, facts, started

OPEN = (State.GRANTED, State.INTENT, State.UNKNOWN)
"""Not yet known to have begun."""
PLACEMENT_UNKNOWN = "placement_unknown"
LOST_BY_CARRIER = "carrier_lost_it"


@dataclass(frozen=True, slots=True)
class Rules:
    horizon: timedelta
    silence: timedelta
    overdue: timedelta


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Certainly unplaced."""

    reason: ReturnReason
    detail: str | None = None
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """Its deadline has passed and no dialer has said what became of it."""


@dataclass(frozen=True, slots=True)
class NoTrace:
    """The carrier, asked at this instant, had no such call."""

    asked_at: datetime


@dataclass(frozen=True, slots=True)
class CouldNotSay:
    """The carrier was asked and could not answer."""


Evidence = Sighting | Refused | GivenBack | Ambiguous | Overdue | NoTrace | CouldNotSay


@dataclass(frozen=True, slots=True)
class Settled:
    """The call as it is now, and what is to be said of it."""

    call: Call
    events: tuple[CallEvent, ...] = ()
    conversation: Conversation | None = None


def settle(  # noqa: PLR0911 - one a kind of evidence
    call: Call, evidence: Evidence, *, now: datetime, rules: Rules
) -> Settled:
    match evidence:
        case Sighting(ending=None):
            return _live(call, evidence, now, rules)
        case Sighting():
            return _ended(call, evidence, now)
        case Refused():
            return _refused(call, evidence, now)
        case GivenBack():
            return _given_back(call, evidence, now)
        case Ambiguous():
            return _unknown(call, now) if call.state is State.INTENT else Settled(call)
        case Overdue():
            return _overdue(call, now, rules)
        case NoTrace():
            return _no_trace(call, evidence.asked_at, now, rules)
        case CouldNotSay():
            return Settled(replace(call, next_check_at=_next_look(call, now, rules)))
        case _ as never:
            assert_never(never)


def _live(call: Call, seen: Sighting, now: datetime, rules: Rules) -> Settled:
    if call.state is State.RETURNED or (call.state is State.ENDED and not call.given_up):
        return Settled(call)
    known = _noting(call, seen)
    if not call.given_up:
        known = replace(known, unknown_since=None)
    if call.state in OPEN:
        begun = replace(known, state=State.STARTED, started_at=now)
        begun = replace(begun, next_check_at=_next_look(begun, now, rules))
        return Settled(begun, (started(begun, now),))
    return Settled(_put_off(known, now, rules))


def _put_off(call: Call, now: datetime, rules: Rules) -> Call:
    """The next look, unless it would move by too little to be worth a write."""
    look = _next_look(call, now, rules)
    if call.next_check_at is not None and abs(look - call.next_check_at) < rules.silence / 2:
        return call
    return replace(call, next_check_at=look)


def _ended(call: Call, seen: Sighting, now: datetime) -> Settled:
    ending = seen.ending
    if ending is None or call.state is State.RETURNED:
        return Settled(call)
    if call.state is State.ENDED and not call.given_up:
        return _recorded(Settled(call), ending)  # a look-up told the ending, but not what was said
    known = _noting(call, seen)
    begun = known if known.started_at else replace(known, started_at=known.requested_at or now)
    over = _over(begun, ending)
    said = completed(over, ending.duration_seconds, now, late=call.given_up)
    events = (started(begun, now), said) if call.state in OPEN else (said,)
    return _recorded(Settled(over, events), ending)


def _recorded(settled: Settled, ending: Ending) -> Settled:
    """With what was said, unless that is in the log already."""
    if ending.conversation is None or settled.call.recorded:
        return settled
    call = replace(settled.call, recorded=True)
    return Settled(call, settled.events, ending.conversation)


def _refused(call: Call, word: Refused, now: datetime) -> Settled:
    if call.state not in OPEN and not call.given_up:
        return Settled(call)
    over = _over(call, Ending(at=now, outcome=word.outcome, cause=word.cause))
    return Settled(over, (completed(over, None, now, late=call.given_up),))


def _given_back(call: Call, why: GivenBack, now: datetime) -> Settled:
    if call.state not in OPEN:
        return Settled(call)
    asked = why.reason in (ReturnReason.CARRIER_OVERLOADED, ReturnReason.FATAL_FAULT)
    event = CallReturned(
        **facts(call if asked else replace(call, requested_at=None), now),
        reason=why.reason,
        detail=why.detail,
        not_before=None if why.wait is None else now + why.wait,
    )
    return Settled(replace(call, state=State.RETURNED, next_check_at=None), (event,))


def _unknown(call: Call, now: datetime) -> Settled:
    return Settled(replace(call, state=State.UNKNOWN, unknown_since=now, next_check_at=now))


def _overdue(call: Call, now: datetime, rules: Rules) -> Settled:
    if call.state is not State.INTENT or call.send_before is None:
        return Settled(call)
    if now < call.send_before + rules.overdue:
        return Settled(replace(call, next_check_at=call.send_before + rules.overdue))
    if call.announced_at is None:  # a request leaves only after the announcement is recorded
        return _given_back(call, GivenBack(ReturnReason.DEADLINE_PASSED, "dialer_lost"), now)
    return _unknown(call, now)


def _no_trace(call: Call, asked_at: datetime, now: datetime, rules: Rules) -> Settled:
    if call.given_up:
        begun = call.started_at or call.unknown_since or now
        gone = asked_at >= begun + call.longest + rules.horizon
        return Settled(replace(call, next_check_at=None if gone else _next_look(call, now, rules)))
    if call.state not in (State.UNKNOWN, State.STARTED):
        return Settled(call)
    since = call.unknown_since or asked_at  # of a started one: since it was first not found
    missed = replace(call, unknown_since=since)
    if asked_at < since + rules.horizon:
        return Settled(replace(missed, next_check_at=_next_look(missed, now, rules)))
    cause = LOST_BY_CARRIER if call.state is State.STARTED else PLACEMENT_UNKNOWN
    over = _over(missed, Ending(now, Outcome.UNKNOWN, cause))
    return Settled(over, (completed(over, None, now),))


def _next_look(call: Call, now: datetime, rules: Rules) -> datetime:
    """Ever more rarely, the longer it has gone on; but never past the horizon of an unknown one."""
    if not call.given_up and call.unknown_since is not None:
        horizon = call.unknown_since + rules.horizon
        later = now + max(
            timedelta(seconds=0.5), min((now - call.unknown_since) / 2, rules.horizon)
        )
        return min(later, horizon) if now < horizon else later
    age = now - (call.started_at or now)
    return now + max(rules.silence, min(age / 2, 10 * rules.silence))


def _noting(call: Call, seen: Sighting) -> Call:
    return replace(
        call,
        carrier_call_id=call.carrier_call_id or seen.carrier_call_id,
        answered_at=call.answered_at or seen.answered_at,
        answered_by=call.answered_by or seen.answered_by,
    )


def _over(call: Call, ending: Ending) -> Call:
    return replace(
        call,
        state=State.ENDED,
        ended_at=ending.at,
        outcome=ending.outcome,
        cause=ending.cause,
        next_check_at=None,
    )
