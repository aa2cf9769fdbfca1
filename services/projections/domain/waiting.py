"""What a running batch waits for while it calls nobody: told from counts, whatever its size."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto

from contracts.calendar import effective_zones, is_open
from contracts.outcomes import RecipientStatus
from contracts.progress import Progress, Rules, called_again_from
from services.projections.domain.batch import Batch
from services.projections.domain.standing import UNCALLED, progress_of


class Wait(Enum):
    WINDOW = auto()
    OWN_TIME = auto()
    """Each recipient's `not_before`."""
    NEXT_ATTEMPT = auto()


def waits_for(batch: Batch, now: datetime) -> Wait | None:
    """None: somebody is called, or is about to be."""
    if batch.in_flight or not batch.count(RecipientStatus.PENDING):
        return None
    called = [
        progress_of(standing)
        for standing in batch.standings_shown_as(RecipientStatus.PENDING, None)
        if standing != UNCALLED
    ]
    ready = any(not _is_delayed(progress, batch.rules) for progress in called)
    due = [zones for zones, at in batch.uncalled.items() if at is None or at <= now]
    if not called and not due and batch.uncalled:
        return Wait.OWN_TIME
    if not _any_open(batch, due if due and not ready else batch.zones or [""], now):
        return Wait.WINDOW
    if due or ready or not called:
        return None
    return Wait.OWN_TIME if batch.uncalled else Wait.NEXT_ATTEMPT


def _is_delayed(progress: Progress, rules: Rules) -> bool:
    """Called again by the policy and after a while; not since a person asked, nor given back."""
    again = called_again_from(progress, rules)
    return again is not None and progress.ended_at is not None and again > progress.ended_at


def _any_open(batch: Batch, sets: Iterable[str], now: datetime) -> bool:
    return any(is_open(batch.created.window, z, now) for z in _judged_by(batch, sets, now))


def zone_sets(batch: Batch, now: datetime) -> list[tuple[str, ...]]:
    """What its recipients' hours are judged by."""
    return [zones for zones in _judged_by(batch, batch.zones or [""], now) if zones]


def _judged_by(batch: Batch, sets: Iterable[str], now: datetime) -> set[tuple[str, ...]]:
    window = batch.created.window
    return {effective_zones(window, tuple(filter(None, s.split(","))), now) for s in sets}
