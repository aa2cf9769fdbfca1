"""What was looked at and what was wrong.  A breach names its events; nothing here is personal."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

MOST_TOLD: Final = 100
"""Breaches told of one check; all are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    guarantee: str


class Told(NamedTuple):
    """Where the log says it."""

    topic: str
    partition: int
    offset: int
    type: str
    event_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Breach:
    check: str
    what: str
    events: tuple[Told, ...]


@dataclass(slots=True)
class Tally:
    examined: int = 0
    breaches: int = 0
    still_open: Counter[str] = field(default_factory=Counter)
    """What a running system may still owe, by what it is."""


class Findings:
    def __init__(self) -> None:
        self.tallies: dict[Check, Tally] = {check: Tally() for check in REGISTRY}
        self.breaches: list[Breach] = []
        self.repeated = 0
        """Records that say again, word for word, what the log has said before."""

    @property
    def clean(self) -> bool:
        return not any(tally.breaches for tally in self.tallies.values())

    def looked(self, check: Check, count: int = 1) -> None:
        self.tallies[check].examined += count

    def breach(self, check: Check, what: str, *events: Told) -> None:
        tally = self.tallies[check]
        tally.breaches += 1
        if tally.breaches <= MOST_TOLD:
            self.breaches.append(Breach(check.name, what, events))

    def open(self, check: Check, what: str) -> None:
        self.tallies[check].still_open[what] += 1


REGISTRY: Final[list[Check]] = []


def check(name: str, guarantee: str) -> Check:
    """A check that is registered: it is in every report, and has to have its doctored log."""
    made = Check(name, guarantee)
    REGISTRY.append(made)
    return made
