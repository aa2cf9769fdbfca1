"""What a run has shown, in figures: how much was tried under fault, and what that bounds.

Without a failure in N tries the true rate is under 3/N at 95% confidence (the rule of three:
Hanley and Lippman-Hand, JAMA 1983).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Self

from tests.faults.trial.checks import Breach, Evidence
from tests.faults.trial.fire import Struck
from tests.faults.trial.schedule import Kind

AFTERMATH = timedelta(seconds=3)
"""After a fault, in which requests still count as made under it."""
OF_PROCESSES = {Kind.KILL, Kind.FREEZE, Kind.REBALANCE}
UNANSWERED = {None, 500, 503}
FEWEST = 3
"""Below it the rule of three bounds nothing."""


@dataclass(slots=True)
class Tally:
    requests: int = 0
    placements: int = 0
    """Requests that the carrier took."""
    under_fault: int = 0
    unanswered: int = 0
    """Requests whose answer nobody got: lost, or an error that may hide a call."""
    ended_unknown: int = 0
    faults: Counter[Kind] = field(default_factory=Counter)
    stricken: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    """By kind and part."""
    recipients: int = 0
    breaches: list[Breach] = field(default_factory=list)

    @property
    def of_processes(self) -> int:
        return sum(self.faults[kind] for kind in OF_PROCESSES)

    def __add__(self, other: Self) -> Self:
        """Of two runs."""
        return type(self)(
            *(getattr(self, it.name) + getattr(other, it.name) for it in fields(self))
        )

    def add(self, seen: Evidence, struck: Sequence[Struck]) -> None:
        requests = seen.ledger.of("request")
        moments = [datetime.fromisoformat(entry["at"]) for entry in requests]
        self.requests += len(requests)
        self.placements += sum(entry["accepted"] for entry in requests)
        self.under_fault += _within(moments, struck)
        self.unanswered += sum(entry["status"] in UNANSWERED for entry in requests)
        self.faults.update(one.fault.kind for one in struck)
        for one in struck:
            self.stricken[one.fault.kind, one.fault.part] += 1
        self.recipients += sum(len(told.people) for told in seen.told.values())

    def story(self) -> str:
        kinds = _each(self.faults)
        judged = f"{self.placements} calls placed, {self.recipients} recipients judged"
        hidden = f"{self.unanswered} without an answer, {self.ended_unknown} calls ended unknown"
        lines = [
            f"{self.requests} requests, {judged}",
            f"{self.faults.total()} faults, {self.of_processes} of processes: {kinds}",
            *(f"  {kind}: {_each(self._parts(kind))}" for kind in Kind if self.faults[kind]),
            f"{self.under_fault} requests under fault; {hidden}",
            f"{len(self.breaches)} breaches{self._bound()}",
        ]
        return "\n".join(lines)

    def _parts(self, kind: Kind) -> Counter[str]:
        return Counter({part: n for (it, part), n in self.stricken.items() if it is kind})

    def _bound(self) -> str:
        if self.breaches or self.under_fault < FEWEST:
            return ""
        rate = 3 / self.under_fault
        return f": under fault the rate of failures is below {rate:.2g} (3/{self.under_fault}, 95%)"


def _each(counts: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _within(moments: Sequence[datetime], struck: Sequence[Struck]) -> int:
    """How many of them, which are in order, lie in or shortly after any of the faults."""
    hit: set[int] = set()
    for one in struck:
        until = (one.until or one.at) + AFTERMATH
        hit.update(range(bisect_left(moments, one.at), bisect_left(moments, until)))
    return len(hit)
