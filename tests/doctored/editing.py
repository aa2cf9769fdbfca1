"""An event of a log is found by what it says, and changed."""

from datetime import timedelta
from typing import TypeVar

from contracts.event import Event
from tests.log_to_audit import person

E = TypeVar("E", bound=Event)
Events = list[Event]
LATER = timedelta(seconds=1)


def find(log: Events, kind: type[E], **facts: object) -> int:
    """The place of the one event that says this."""
    (place,) = [
        place
        for place, event in enumerate(log)
        if type(event) is kind and all(getattr(event, n) == fact for n, fact in facts.items())
    ]
    return place


def change(log: Events, kind: type[E], which: dict[str, object], **facts: object) -> None:
    place = find(log, kind, **which)
    log[place] = log[place].model_copy(update=facts)


def of_call(row: int, number: int = 1) -> dict[str, object]:
    return {"recipient_id": person(row), "grant_no": number}


def untouched(log: Events) -> None:
    """As it should be."""


def swapped(log: Events, one: int, other: int) -> None:
    log[one], log[other] = log[other], log[one]
