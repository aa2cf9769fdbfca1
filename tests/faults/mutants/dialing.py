"""Dialers that are wrong in one way each; a trial must convict every one of them by the ledger."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from chassis.producer import BROKER_TROUBLE
from contracts.calls import CallCompleted
from contracts.outcomes import Outcome
from services.dialer import app, domain, granting, people, placer
from services.dialer.call import Call, State
from services.dialer.carriers.port import Answer, Order, Sighting
from services.dialer.carriers.simulator import Simulator
from services.dialer.domain import Rules, Settled
from services.dialer.granting import Intent
from services.dialer.telling import completed
from tests.faults.mutants.gateless_dialer import careless
from tests.faults.mutants.inbox import OffsetsLongFirst
from tests.faults.mutants.retrying_dialer import Retrying

STEPS_AWAY = 0.3
"""Seconds between the look at the clock and the request."""


def looks_at_no_gate() -> None:
    vars(granting)["Q"] = careless()


def asks_again_without_an_answer() -> None:
    vars(app)["Simulator"] = Retrying


class _TooEarly(Simulator):
    async def place(self, order: Order, may_send: Callable[[], bool]) -> Answer:
        in_time = may_send()
        await asyncio.sleep(STEPS_AWAY)
        return await super().place(order, lambda: in_time)


def looks_at_the_clock_too_early() -> None:
    vars(app)["Simulator"] = _TooEarly


def _sent_anew(call: Call) -> Settled:
    return Settled(replace(call, state=State.GRANTED, unknown_since=None, next_check_at=None))


def sends_again_what_it_finds_after_a_restart() -> None:
    """An INTENT past its deadline is taken for a grant."""

    def overdue(call: Call, now: datetime, rules: Rules) -> Settled:
        late = call.send_before is not None and now >= call.send_before + rules.overdue
        if call.state is State.INTENT and late:
            return _sent_anew(call)
        return Settled(replace(call, next_check_at=now + rules.overdue))

    vars(domain)["_overdue"] = overdue


def redials_what_has_left_no_trace() -> None:
    true = domain._no_trace

    def no_trace(call: Call, asked_at: datetime, now: datetime, rules: Rules) -> Settled:
        if call.state is State.UNKNOWN:
            return _sent_anew(call)
        return true(call, asked_at, now, rules)

    vars(domain)["_no_trace"] = no_trace


def applies_a_callback_twice() -> None:
    """An ending is an ending, whatever is known of the call."""
    true = domain._ended

    def ended(call: Call, seen: Sighting, now: datetime) -> Settled:
        if call.state is not State.ENDED or seen.ending is None:
            return true(call, seen, now)
        over = domain._over(call, seen.ending)
        said: CallCompleted = completed(over, seen.ending.duration_seconds, now, late=False)
        return Settled(over, (said,))

    vars(domain)["_ended"] = ended


def takes_every_ending_for_an_answer() -> None:
    true = domain._ended

    def ended(call: Call, seen: Sighting, now: datetime) -> Settled:
        ending = seen.ending and replace(seen.ending, outcome=Outcome.COMPLETED)
        return true(call, replace(seen, ending=ending), now)

    vars(domain)["_ended"] = ended


def rings_before_it_is_announced() -> None:
    """Whether the broker has it is not waited for."""

    async def announced(self: placer.Placer, intents: Sequence[Intent]) -> bool:
        events = [intent.placing for intent in intents]
        try:
            await self._producer.publish(events, writer="dialer", within=0.02)
        except BROKER_TROUBLE:
            return True
        return True

    setattr(placer.Placer, "_announced", announced)  # noqa: B010 - a mutant


def knows_no_number_again() -> None:
    """Two calls are never to the same number: each has a digest of its own."""

    async def digest(self: people.People, account_id: str, phone_number: str) -> str:
        return uuid4().hex

    setattr(people.People, "digest", digest)  # noqa: B010 - a mutant


def forgets_what_it_has_read() -> None:
    vars(app)["Inbox"] = OffsetsLongFirst
