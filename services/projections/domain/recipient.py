"""When a recipient is called next, and what a call is called: from the same rules that decide."""

from datetime import datetime

from contracts.outcomes import Outcome, RecipientStatus, status_of
from contracts.progress import Progress, Rules, Stage, called_again_from

RETURNED = "RETURNED"
"""A granted slot that was given back: nobody was asked to call."""


def next_attempt_at(
    progress: Progress, rules: Rules, not_before: datetime | None
) -> datetime | None:
    """Of a pending recipient: the earliest instant; None: as soon as there is a slot."""
    if progress.stage is Stage.RETURNED:
        return progress.not_before
    return called_again_from(progress, rules) if progress.outcome is not None else not_before


def call_status(stage: Stage, outcome: Outcome | None) -> str:
    if outcome is not None:
        return status_of(outcome)
    if stage is Stage.RETURNED:
        return RETURNED
    return RecipientStatus.QUEUED if stage is Stage.QUEUED else RecipientStatus.IN_PROGRESS
