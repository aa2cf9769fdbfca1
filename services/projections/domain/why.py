"""Why somebody is not called yet: asked of the rules that decide, so it cannot say otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.eligibility import (
    AT_ANY_TIME,
    FINAL,
    BatchFacts,
    Code,
    Reason,
    RecipientFacts,
    Suppression,
    Turn,
    in_the_way,
    turn_of,
)
from contracts.outcomes import RecipientStatus
from contracts.progress import Progress, Rules, Stage, called_again_from
from services.projections.domain.batch import Batch
from services.projections.domain.standing import UNCALLED, progress_of
from services.projections.domain.waiting import is_open_to

COUNTED: Final = 10_000
"""How many before somebody are counted; of more it is said that there are more."""
LAST_ROW: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Person:
    row: int
    progress: Progress
    zones: tuple[str, ...] = ()
    not_before: datetime | None = None
    same_number: Progress | None = None
    """Of the nearest earlier recipient with this number."""
    suppression: Suppression | None = None

    @property
    def facts(self) -> RecipientFacts:
        return RecipientFacts(
            self.progress, self.zones, self.not_before, self.same_number, self.suppression
        )


def reasons_for(batch: Batch, person: Person, now: datetime) -> tuple[Reason, ...]:
    """All that is in the way, most final first; if nothing is, it is that every slot is taken."""
    seen = batch.shown(person.progress)
    if seen.outcome is not None:
        return (Reason(FINAL.get(seen.outcome, Code.CALLED)),)
    facts = BatchFacts(
        batch.state.status,
        batch.created.window,
        batch.rules,
        scheduled_at=batch.starts_at,
        expires_at=batch.state.expires_at,
    )
    return in_the_way(facts, person.facts, now) or (Reason(Code.NO_FREE_SLOT),)


@dataclass(frozen=True, slots=True)
class Called:
    """Recipients who stand alike and may come before somebody."""

    standing: str
    delay: int | None
    """Seconds from their last call to the next; None: the policy calls them no more."""
    asked: bool
    """A person wants them called again."""


@dataclass(frozen=True, slots=True)
class Before:
    """Whom to count to know how many slots go to others of the batch first."""

    turn: Turn
    row: int
    open: Sequence[str]
    """The zones in which the window is open."""
    called: Sequence[Called]

    @property
    def at_any_time(self) -> int:
        """Up to which row those go first who may be called at any time."""
        first = not self.turn.asked and self.turn.due == AT_ANY_TIME
        return self.row if first else LAST_ROW


def before(batch: Batch, person: Person, now: datetime) -> Before:
    turn = turn_of(person.facts, batch.rules, now)
    zones = [each for each in batch.zones if is_open_to(batch, each, now)]
    called = [
        _called(standing, progress, batch.rules)
        for standing in batch.standings_shown_as(RecipientStatus.PENDING, None)
        for progress in [progress_of(standing)]
        if standing != UNCALLED and (turn.due > AT_ANY_TIME or progress.stage is Stage.RETURNED)
    ]
    return Before(turn, person.row, zones, called)


def _called(standing: str, progress: Progress, rules: Rules) -> Called:
    if progress.stage is Stage.RETURNED:
        return Called(standing, delay=0, asked=False)
    by_policy = called_again_from(progress, Rules(rules.policy)) is not None
    delay = rules.policy.delay_after(progress.run_attempt) if by_policy else None
    asked = called_again_from(progress, rules) == progress.ended_at
    return Called(standing, delay, asked=asked)
