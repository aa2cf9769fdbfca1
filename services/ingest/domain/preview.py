"""What a batch would do, by the rules that it will go by; nothing is promised or stored."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from contracts.calendar import effective_zones, is_held, next_open
from contracts.estimate import Span, Zones, calling_time, expected_finish
from services.ingest.domain.batch import Terms
from services.ingest.reading.rows import CheckedRow

LASTS: Final = timedelta(days=30)
"""How long a batch goes on after its start unless it says so itself."""


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
    """In no hour can all zones of their number be called: the window's fallback zone counts for
    them, and without one they are not called."""
    first_call_at: datetime | None
    estimated_finish_at: datetime | None
    """None: nobody is called, or not within a year."""
    warnings: list[Warned]


def foreseen(terms: Terms, count: Count, *, at: datetime) -> Preview:
    start = max(at, terms.request.scheduled_at or at)
    homeless = {
        zones: group
        for zones, group in count.together.items()
        if is_held(terms.window, zones, start)
    }
    left = {} if terms.window.fallback_timezone else homeless
    called = {zones: it for zones, it in count.together.items() if zones not in left}
    people = sum(group.people for group in called.values())
    work = calling_time(people, terms.at_once)
    spans = {zones: Span(it.earliest, it.latest) for zones, it in called.items()}
    finish = expected_finish(terms.window, spans, start, work)
    opens = (_opens(terms, zones, it, start) for zones, it in called.items())
    return Preview(
        will_call=people,
        skipped=[Skipped(reason=it, count=n) for it, n in sorted(count.skipped.items())],
        held=sum(group.people for group in homeless.values()),
        first_call_at=min(filter(None, opens), default=None),
        estimated_finish_at=finish,
        warnings=[
            *_of_refusal(terms, count),
            *_of_zones(terms, sum(group.people for group in homeless.values())),
            *_of_time(finish, terms.request.expires_at or start + LASTS, some=bool(people)),
        ],
    )


def _opens(terms: Terms, zones: Zones, group: Together, start: datetime) -> datetime | None:
    due = max(start, group.earliest or start)
    return next_open(terms.window, effective_zones(terms.window, zones, due), due)


def _of_refusal(terms: Terms, count: Count) -> list[Warned]:
    """Why the batch would not be created like this."""
    if not count.together:
        message = "The batch would be refused: give at least one recipient who can be called."
        return [Warned(code="no_valid_recipients", message=message)]
    if terms.request.on_invalid == "reject" and count.skipped:
        message = "The batch would be refused: mend the rows, or send on_invalid: skip."
        return [Warned(code="rows_rejected", message=message)]
    return []


def _of_zones(terms: Terms, people: int) -> list[Warned]:
    if not people:
        return []
    fallback = terms.window.fallback_timezone
    if fallback:
        message = f"In no hour can all zones of {people:,} numbers be called: {fallback} counts."
        return [Warned(code="fallback_zone", message=message)]
    message = (
        f"In no hour can all zones of {people:,} numbers be called, or their zones are not known:"
        " give the window a fallback_timezone, or these recipients a timezone."
    )
    return [Warned(code="held", message=message)]


def _of_time(finish: datetime | None, expires_at: datetime, *, some: bool) -> list[Warned]:
    if not some or (finish is not None and finish <= expires_at):
        return []
    message = (
        f"Not everyone will be called before the batch expires ({expires_at:%Y-%m-%dT%H:%M:%SZ}):"
        " let it expire later, widen the window, or raise the account's concurrency."
    )
    return [Warned(code="window_too_short", message=message)]
