"""Where everybody of a batch stands, and who of them remains: counted, never asked one by one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import AwareDatetime

from contracts.batches import RetryPolicy
from contracts.calendar import Window
from contracts.event import Value
from contracts.outcomes import RecipientStatus
from contracts.progress import Progress, Rules
from contracts.statuses import BatchStatus, Result
from services.projections.domain.standing import Shown, progress_of, shown


class Created(Value):
    """What of BatchCreated is shown."""

    agent_id: str
    from_number: str
    window: Window
    scheduled_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    start: bool = True
    reserved_concurrency: int = 0
    retry_policy: RetryPolicy = RetryPolicy()
    on_invalid: Literal["skip", "reject"] = "skip"


class State(Value):
    """What of the newest status event is shown."""

    status: BatchStatus
    result: Result | None = None
    reason_code: str | None = None
    reason: str | None = None
    epoch: int = 0
    retry_epoch: int = 0
    unknown_retry_epoch: int = 0
    scheduled_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None


@dataclass(frozen=True)
class Headcount:
    created: Created
    state: State
    expired_epoch: int
    total: int
    standings: Mapping[str, int]
    """How many stand where, those not yet granted a slot left out."""

    @cached_property
    def rules(self) -> Rules:
        return Rules(
            policy=self.created.retry_policy,
            retry_epoch=self.state.retry_epoch,
            unknown_retry_epoch=self.state.unknown_retry_epoch,
        )

    @property
    def expired(self) -> bool:
        """Its time was over with people pending, and nobody has asked for a retry since."""
        return self.expired_epoch == self.state.epoch

    def shown(self, progress: Progress) -> Shown:
        completed = self.state.status is BatchStatus.COMPLETED
        return shown(progress, self.rules, expired=self.expired, completed=completed)

    @cached_property
    def everyone(self) -> Mapping[Shown, int]:
        counts: Counter[Shown] = Counter()
        for standing, recipients in self.standings.items():
            counts[self.shown(progress_of(standing))] += recipients
        counts[self.shown(Progress())] += max(0, self.total - sum(self.standings.values()))
        return counts

    @cached_property
    def _by_status(self) -> Mapping[RecipientStatus, int]:
        counts: Counter[RecipientStatus] = Counter()
        for seen, recipients in self.everyone.items():
            counts[seen.status] += recipients
        return counts

    def count(self, status: RecipientStatus) -> int:
        return self._by_status[status]

    @cached_property
    def remaining(self) -> int:
        return sum(count for seen, count in self.everyone.items() if not seen.final)

    @property
    def unfinished(self) -> bool:
        """The scheduler has said COMPLETED, and not all of its calls' ends have been read."""
        return self.state.status is BatchStatus.COMPLETED and self.remaining > 0
