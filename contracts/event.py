"""What every event has.  A log cannot be amended: a field comes with a default or a new version."""

from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.ids import derive
from contracts.instants import Instant


class Value(BaseModel):
    """A part of an event: immutable, and tolerant of fields that a newer writer has added."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Event(Value):
    """A fact of one account, at one instant (UTC).  The class name is its name in the log."""

    schema_version: ClassVar[int] = 1
    """Raised when a field changes its meaning or goes; an upcaster then reads the older ones."""
    may_be_passed_over: ClassVar[bool] = False
    """A reader that does not know this type may go on without it; else it waits for its upgrade."""

    erases: ClassVar[bool] = False
    """What is to be gone must go: applied also to a batch that was set aside."""

    account_id: str
    """Whose it is: on every event."""
    at: Instant
    """When it was so, by the clock of who says it."""

    @property
    def key(self) -> str:
        """The Kafka key: events of one key keep their order."""
        raise TypeError(f"{type(self).__name__} is not in the log by itself")

    @property
    def number(self) -> str:
        """What makes it recognisable when it is delivered again, within its key and type."""
        raise TypeError(f"{type(self).__name__} is not in the log by itself")

    @property
    def event_id(self) -> UUID:
        """The CloudEvents id: derived, so that the same fact published twice has the same id."""
        return derive("event", type(self).__name__, self.key, self.number)


class BatchEvent(Event):
    """Keyed by its batch."""

    batch_id: UUID

    @property
    def key(self) -> str:
        return str(self.batch_id)
