"""All of a recipient's progress that its status is made from, as one word to count and find by.

The tables make the same word (`recipients.standing`).  A status is never stored: a retry changes
what a standing means without touching a row.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from contracts.batches import MOST_ATTEMPTS
from contracts.outcomes import Outcome, RecipientStatus, status_of
from contracts.progress import Progress, Rules, Stage, recipient_status

UNCALLED = "0:0:0:0:"
_SOME_TIME_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    status: RecipientStatus
    outcome: Outcome | None
    """Of those that are final."""

    @property
    def final(self) -> bool:
        return self.outcome is not None


@lru_cache(maxsize=4096)
def progress_of(standing: str) -> Progress:
    """What a standing says; of an ended call only that it ended, not when."""
    stage, epoch, attempt, run_attempt, outcome = standing.split(":")
    return Progress(
        grant_no=1 if standing != UNCALLED else 0,
        stage=Stage(int(stage)),
        epoch=int(epoch),
        attempt=int(attempt),
        run_attempt=int(run_attempt),
        outcome=Outcome(outcome) if outcome else None,
        ended_at=_SOME_TIME_AGO if outcome else None,
    )


def shown(progress: Progress, rules: Rules, *, expired: bool, completed: bool) -> Shown:
    """`completed`: as the scheduler has said of the batch."""
    status = recipient_status(progress, rules)
    late = progress.outcome if progress.run_attempt == MOST_ATTEMPTS else None
    if status is RecipientStatus.PENDING and completed and late is not None:
        # the truth came after the retry that had passed it over: only the next one calls again
        return Shown(status_of(late), late)
    if status is RecipientStatus.PENDING and expired:
        return Shown(status_of(Outcome.EXPIRED), Outcome.EXPIRED)
    final = status in {
        RecipientStatus.COMPLETED,
        RecipientStatus.NO_ANSWER,
        RecipientStatus.FAILED,
    }
    return Shown(status, progress.outcome if final else None)
