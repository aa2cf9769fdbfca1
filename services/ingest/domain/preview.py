"""What a batch would do, by the rules that it will go by; nothing is promised or stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from contracts.calendar import effective_zones, is_held, next_open
from contracts.eligibility import EXPECTED_CALL, calling_time, expected_end
from services.ingest.domain.batch import Terms
from services.ingest.reading.rows import CheckedRow

LASTS: Final = timedelta(days=30)
"""How long a batch goes on after its start unless it says so itself."""
Zones = tuple[str, ...]


@dataclass(slots=True)
class Together:
    """Those whose hours are the same."""

    people: int = 0
    earliest: datetime | None = None
    """The first not_before; None: somebody has none."""
    latest: datetime | None = None

    def add(self, people: int, earliest: datetime | None, latest: datetime | None) -> None:
        if not self.people:
            self.earliest = earliest
        elif earliest is None or self.earliest is None:
            self.earliest = None
        else:
            self.earliest = min(self.earliest, earliest)
        self.latest = max(filter(None, (self.latest, latest)), default=None)
        self.people += people


@dataclass(slots=True)
class Count:
    """Some rows, as far as a preview asks about them."""

    skipped: Counter[str] = field(default_factory=Counter)
    """By the first thing that is wrong."""
    together: dict[Zones, Together] = field(default_factory=dict)

    def add(self, row: CheckedRow, *, zoned: bool) -> None:
        if row.errors:
            self.skipped[row.errors[0].code] += 1
            return
        due = row.settings.not_before
        self._group(row.zones if zoned else ()).add(1, due, due)

    def merge(self, other: "Count") -> None:
        self.skipped += other.skipped
        for zones, group in other.together.items():
            self._group(zones).add(group.people, group.earliest, group.latest)

    @property
    def people(self) -> int:
        return sum(group.people for group in self.together.values())

    def _group(self, zones: Zones) -> Together:
        return self.together.setdefault(zones, Together())


class Skipped(BaseModel):
    reason: str
    """The code of a row's first error."""
    count: int


class Warned(BaseModel):
    code: str
    message: str


class Preview(BaseModel):
    will_call: int
    skipped: list[Skipped]
    held: int
    """Of those called: in no hour can all zones of their number be called, so the window's
    fallback zone counts."""
    first_call_at: datetime | None
    estimated_finish_at: datetime | None
    """None: nobody is called, or not within a year."""
    warnings: list[Warned]


def foreseen(terms: Terms, count: Count, at_once: int, *, at: datetime) -> Preview:
    """`at_once`: the calls that the account may have and the batch does not leave to others."""
    window, request = terms.window, terms.request
    start = max(at, request.scheduled_at or at)
    work = calling_time(count.people, at_once)
    groups = count.together.items()
    finish = _latest(_ends(terms, zones, group, start, work) for zones, group in groups)
    return Preview(
        will_call=count.people,
        skipped=[Skipped(reason=it, count=n) for it, n in sorted(count.skipped.items())],
        held=sum(group.people for zones, group in groups if is_held(window, zones, start)),
        first_call_at=min(filter(None, (_opens(terms, *it, start) for it in groups)), default=None),
        estimated_finish_at=finish,
        warnings=_warnings(finish, request.expires_at or start + LASTS, some=bool(count.people)),
    )


def _opens(terms: Terms, zones: Zones, group: Together, start: datetime) -> datetime | None:
    due = max(start, group.earliest or start)
    return next_open(terms.window, effective_zones(terms.window, zones, due), due)


def _ends(
    terms: Terms, zones: Zones, group: Together, start: datetime, work: timedelta
) -> Sequence[datetime | None]:
    """Of all calls from the first on, and of the last one that has to wait for its own hour."""
    first = max(start, group.earliest or start)
    last = max(start, group.latest or start)
    ends = expected_end(terms.window, zones, first, work)
    return ends, expected_end(terms.window, zones, last, EXPECTED_CALL)


def _latest(ends: Iterable[Sequence[datetime | None]]) -> datetime | None:
    """None as soon as one of them never comes."""
    found = [end for each in ends for end in each]
    known = [end for end in found if end is not None]
    return max(known) if known and len(known) == len(found) else None


def _warnings(finish: datetime | None, expires_at: datetime, *, some: bool) -> list[Warned]:
    if not some or (finish is not None and finish <= expires_at):
        return []
    message = (
        f"Not everyone will be reached before the batch expires ({expires_at.isoformat()}): widen"
        " the window, raise the account's concurrency, or call fewer people."
    )
    return [Warned(code="window_too_short", message=message)]
