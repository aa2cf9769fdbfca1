"""How a call can end, and what that makes of its recipient: the only table of it."""

from enum import StrEnum


class Outcome(StrEnum):
    COMPLETED = "completed"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    INVALID = "invalid"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It may have rung and nobody can say; never redialled unless a person asks."""
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"


class RecipientStatus(StrEnum):
    PENDING = "PENDING"
    QUEUED = "QUEUED"
    """A slot is granted and the call is about to be placed; waiting for a slot is PENDING."""
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    NO_ANSWER = "NO_ANSWER"


_REACHED = {Outcome.COMPLETED, Outcome.VOICEMAIL}
_NOT_REACHED = {Outcome.NO_ANSWER, Outcome.BUSY, Outcome.DECLINED}


def status_of(outcome: Outcome) -> RecipientStatus:
    """The final status of a recipient whose last call ended so."""
    if outcome in _REACHED:
        return RecipientStatus.COMPLETED
    return RecipientStatus.NO_ANSWER if outcome in _NOT_REACHED else RecipientStatus.FAILED
