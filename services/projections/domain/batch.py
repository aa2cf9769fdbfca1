"""A batch as people see it, from what it was asked for, its newest status and where all stand.

COMPLETED is never shown while people remain: topics have no order, so the end of a batch may be
read before the end of its last call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.estimate import Span
from contracts.lifecycle import allowed_actions, result_of
from contracts.outcomes import Outcome, RecipientStatus
from contracts.statuses import Action, BatchStatus, Result
from services.projections.domain.headcount import Created, Headcount, State
from services.projections.domain.slots import Lately, Slots
from services.projections.domain.standing import UNCALLED, progress_of

__all__ = ["Batch", "Created", "State", "before_any_status"]


@dataclass(frozen=True)
class Batch(Headcount):
    batch_id: UUID
    name: str | None
    created_at: datetime
    sequence: int
    """Of its newest status; 0: the scheduler has not taken note of it."""
    gate_epoch: int
    rejected: int
    additions: int
    chunks: int
    landed: int
    zones: Mapping[str, Span]
    """The zones of its recipients, each set joined by commas; and for when they asked."""
    uncalled: Mapping[str, datetime | None]
    """Of each set of zones, when the first of those never granted a slot may be called; None: at
    any time.  Known of a running batch."""
    turned_at: datetime | None = None
    """When it was last set going, or held."""
    turned_by: int | None = None
    """By which command, where somebody asked."""
    lately: Lately = field(default_factory=Lately)
    slots: Slots = field(default_factory=Slots)

    @property
    def starts_at(self) -> datetime | None:
        """When it is due to start; None: it has, or as soon as it can."""
        scheduled = self.state.status is BatchStatus.SCHEDULED
        return self.state.scheduled_at or self.created.scheduled_at if scheduled else None

    @property
    def at_once(self) -> float | None:
        """How many calls it may have at a time, if all that call now go on; None: not known."""
        others = self.slots.batches - (self.in_flight > 0)
        shared = max(0, others) + 1 if self.status is BatchStatus.RUNNING else 1
        most = self.slots.most(self.created.reserved_concurrency)
        return None if most is None else max(1, most) / shared

    @property
    def outcomes(self) -> dict[Outcome, int]:
        counts = dict.fromkeys(Outcome, 0)
        for seen, recipients in self.everyone.items():
            if seen.outcome is not None:
                counts[seen.outcome] += recipients
        return counts

    @property
    def gate_closed(self) -> bool:
        """The dialers have said that none of its calls is placed any more."""
        return self.gate_epoch >= self.state.epoch

    @property
    def in_flight(self) -> int:
        return self.count(RecipientStatus.QUEUED) + self.count(RecipientStatus.IN_PROGRESS)

    @property
    def status(self) -> BatchStatus:
        return BatchStatus.RUNNING if self.unfinished else self.state.status

    @property
    def result(self) -> Result | None:
        if self.status is not BatchStatus.COMPLETED:
            return self.state.result if self.status is self.state.status else None
        completed = self.count(RecipientStatus.COMPLETED)
        return result_of(completed=completed, not_completed=self.total - completed)

    @property
    def percent(self) -> float:
        """Of all recipients, with one decimal; 100 only when nobody remains."""
        done = self.total - self.remaining
        return 100.0 if not self.remaining else 1000 * done // self.total / 10

    @property
    def allowed_actions(self) -> tuple[Action, ...]:
        failures = self.count(RecipientStatus.FAILED) + self.count(RecipientStatus.NO_ANSWER)
        allowed = allowed_actions(self.status, failures=failures)
        if self.state.reason_code == "import_failed":  # some of its people are lost for good
            return tuple(action for action in allowed if action is not Action.RETRY)
        return allowed

    def standings_shown_as(
        self, status: RecipientStatus | None, outcome: Outcome | None
    ) -> list[str]:
        """Where to look for the recipients that are seen so; None: any."""
        return [
            standing
            for standing in {UNCALLED, *self.standings}
            for seen in [self.shown(progress_of(standing))]
            if status in {None, seen.status} and outcome in {None, seen.outcome}
        ]


def before_any_status(created: Created) -> State:
    return State(
        status=BatchStatus.SCHEDULED if created.start else BatchStatus.PENDING,
        scheduled_at=created.scheduled_at,
        expires_at=created.expires_at,
    )
