"""`... MODULE ARGUMENT...`: a module of ours as the next version would have it.

It says more of a call than today's: CallStarted has a field more, and two types of event are new:
readers that do not know them may pass over one, and have to wait for their upgrade at the other.
"""

import runpy
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

from contracts import calls
from contracts.event import Event


class CallStarted(calls.CallStarted):
    ringback: str | None = None
    """What the one who calls hears; None: today's version says nothing of it."""


class CallNoted(calls.CallEvent):
    """Nobody has to know."""

    may_be_passed_over: ClassVar[bool] = True


class CallRated(calls.CallEvent):
    """Whoever does not know what it means must not go on."""

    stars: int


NEW = (CallNoted, CallRated)


def upgrade_contracts() -> None:
    """Before anything else is imported that knows the events by heart."""
    vars(calls)["CallStarted"] = CallStarted
    from contracts import topics  # noqa: PLC0415 - it is to find the new CallStarted

    before = topics.CALLS
    now = replace(before, events=(*before.events, *NEW))
    every = tuple(now if topic is before else topic for topic in topics.TOPICS)
    topic_of = {event: topic for topic in every for event in topic.events}
    vars(topics).update(
        CALLS=now,
        TOPICS=every,
        TOPIC_OF=MappingProxyType(topic_of),
        EVENT_OF=MappingProxyType({event.__name__: event for event in topic_of}),
        _NAME_OF={event: topic.name for event, topic in topic_of.items()},
    )


def upgrade_writers() -> None:
    from services.dialer import store  # noqa: PLC0415 - after the contracts

    say = store.say

    async def say_more(conn: Any, events: Sequence[tuple[Event, str | None]]) -> None:
        await say(conn, [(it, trace) for event, trace in events for it in said_of(event)])

    vars(store)["say"] = say_more


def upgrade_readers() -> None:
    """They know what is new, and that nothing follows from it."""
    from chassis import inbox  # noqa: PLC0415 - after the contracts
    from chassis.apply import Fold  # noqa: PLC0415

    class Inbox(inbox.Inbox):
        def __init__(self, *, fold: Fold, **more: Any) -> None:
            async def knowing(conn: Any, records: Any) -> None:
                await fold(conn, [it for it in records if not isinstance(it.event, NEW)])

            super().__init__(fold=knowing, **more)

    vars(inbox)["Inbox"] = Inbox
    from audit import record  # noqa: PLC0415 - after the contracts

    class Reading(record.Reading):
        def event(self, record: record.Record) -> Event | None:
            event = super().event(record)
            return None if isinstance(event, NEW) else event

    vars(record)["Reading"] = Reading


def said_of(event: Event) -> list[Event]:
    """What the next version says where today's says this."""
    if isinstance(event, CallStarted):
        return [event.model_copy(update={"ringback": "uk"})]
    if isinstance(event, calls.CallCompleted):
        whose = event.model_dump(include=set(calls.CallEvent.model_fields))
        return [event, CallNoted(**whose), CallRated(**whose, stars=5)]
    return [event]


if __name__ == "__main__":
    upgrade_contracts()
    upgrade_writers()
    upgrade_readers()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
