"""A record read again at its origin; what is wrong with it is told without what it holds."""

from aiokafka import ConsumerRecord

from chassis.postgres import TRANSIENT, SupersededError
from chassis.records import Received, received
from contracts.codec import MalformedEventError, UnknownEventError

IN_THE_WAY: tuple[type[Exception], ...] = (*TRANSIENT, SupersededError)
"""No fault of a record: it is read again later, or by newer code."""


class StillBadError(Exception):
    """The message says why it cannot be replayed now."""


def reread(raw: ConsumerRecord | None, prefix: str) -> Received:
    """Raises MalformedEventError, UnknownEventError or StillBadError."""
    if raw is None:
        raise StillBadError("it is no longer in the log")
    return received(raw, prefix)


def reads(raw: ConsumerRecord, prefix: str) -> bool:
    try:
        received(raw, prefix)
    except (MalformedEventError, UnknownEventError):
        return False
    return True


def in_words(error: Exception) -> str:
    """Of what a fold raised its kind alone: the message may hold anything."""
    ours = (MalformedEventError, UnknownEventError, StillBadError)
    return str(error) if isinstance(error, ours) else type(error).__name__
