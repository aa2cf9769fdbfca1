"""What a running batch waits for while it calls nobody: told from counts, whatever its size."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum, auto

from contracts.calendar import RECIPIENT
from contracts.estimate import Span, Zones, opening
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
    return any(is_open_to(batch, zones, now) for zones in sets)


def is_open_to(batch: Batch, zones: str, now: datetime) -> bool:
    """Whether people of these zones may be called at this hour."""
    found = opening(batch.created.window, _hours(batch, zones), now)
    return found is not None and found[0] <= now


def people_left(batch: Batch) -> Mapping[Zones, Span]:
    """What hours are to be waited for, and for whose own times in them."""
    sets: Iterable[str] = batch.zones
    if len(batch.zones) > 1 and batch.uncalled and not _any_called(batch):
        sets = batch.uncalled
    together: dict[Zones, Span] = {}
    for zones in sets or [""]:
        span, hours = batch.zones.get(zones, Span()), _hours(batch, zones)
        together[hours] = together[hours].with_(span) if hours in together else span
    return together


def _any_called(batch: Batch) -> bool:
    """Whether somebody waits whose call has ended, or whose slot was given back."""
    waiting = batch.standings_shown_as(RecipientStatus.PENDING, None)
    return any(standing != UNCALLED for standing in waiting)


def _hours(batch: Batch, zones: str) -> Zones:
    """Equal for all where the window has a zone of its own."""
    if batch.created.window.timezone != RECIPIENT:
        return ()
    return tuple(filter(None, zones.split(",")))
