"""How many calls are left to be made, judged by how those so far have ended."""

from dataclasses import dataclass
from datetime import timedelta

from contracts.batches import RetryPolicy
from contracts.estimate import EXPECTED_CALL
from contracts.outcomes import RecipientStatus
from contracts.progress import Progress
from services.projections.domain.batch import Batch
from services.projections.domain.standing import progress_of

LIKELY = 0.5
"""So many people to be expected are somebody to wait for."""


@dataclass(frozen=True, slots=True)
class Group:
    """People who are not final and stand alike."""

    people: int
    used: int
    """Attempts of this run that are over."""
    in_flight: bool = False
    delayed: bool = False
    """They wait for an attempt after one that has ended."""


@dataclass(frozen=True, slots=True)
class Left:
    groups: tuple[Group, ...]
    share: float
    """Of the attempts that are over, how many needed another one."""
    policy: RetryPolicy
    call: timedelta | None
    """What a call took lately, those in flight taken to be as long as expected; None: none is
    over."""

    @property
    def people(self) -> int:
        return sum(group.people for group in self.groups)

    @property
    def in_flight(self) -> int:
        return sum(group.people for group in self.groups if group.in_flight)

    @property
    def calls(self) -> float:
        return sum(group.people * self._attempts(group) for group in self.groups)

    def _attempts(self, group: Group) -> float:
        most = max(1, self.policy.max_attempts - group.used)
        return sum(self.share**further for further in range(most))

    def delays_of(self, group: Group) -> timedelta:
        """What somebody of the group is to be expected to wait for between attempts."""
        policy, attempt, expected = self.policy, group.used + 1, group.people * self.share
        seconds = policy.delay_after(group.used) if group.delayed else 0
        while attempt < policy.max_attempts and expected >= LIKELY:
            seconds += policy.delay_after(attempt)
            attempt, expected = attempt + 1, expected * self.share
        return timedelta(seconds=seconds)


def left_of(batch: Batch) -> Left:
    standings = [(progress_of(it), people) for it, people in batch.standings.items()]
    uncalled = max(0, batch.total - sum(people for _, people in standings))
    groups = [_group(batch, progress, people) for progress, people in standings]
    over = sum(people * (it.attempt - it.in_flight) for it, people in standings)
    final = sum(
        people
        for it, people in standings
        if it.outcome is not None and batch.shown(it).final and it.attempt
    )
    return Left(
        groups=tuple(filter(None, (Group(uncalled, 0) if uncalled else None, *groups))),
        share=min(1.0, max(0.0, (over - final) / over)) if over else 0.0,
        policy=batch.created.retry_policy,
        call=_call(batch),
    )


def _call(batch: Batch) -> timedelta | None:
    """The first to be over are the shortest: alone they would promise too much."""
    lately, live = batch.lately, batch.in_flight
    if not lately.ended:
        return None
    held = timedelta(milliseconds=lately.held_ms) + live * EXPECTED_CALL
    return held / (lately.ended + live)


def _group(batch: Batch, progress: Progress, people: int) -> Group | None:
    if batch.shown(progress).final:
        return None
    this_run = progress.epoch >= batch.state.retry_epoch
    used = progress.run_attempt - progress.in_flight if this_run or progress.in_flight else 0
    waits = batch.shown(progress).status is RecipientStatus.PENDING and progress.outcome is not None
    return Group(people, max(0, used), progress.in_flight, delayed=waits and used > 0)
