"""A granted slot: leave for one call, good only as long as its epoch and until `place_before`."""

from uuid import UUID

from pydantic import Field

from contracts.event import Event, Value
from contracts.instants import Instant
from contracts.sealed import UnderBatchKey


class EarlierCall(Value):
    """An earlier call of this recipient whose end nobody saw."""

    call_id: UUID
    requested_at: Instant | None = None


class RecipientQueued(Event):
    """A slot is granted: this recipient is about to be called."""

    batch_id: UUID
    recipient_id: UUID
    call_id: UUID
    grant_no: int = Field(ge=1)
    attempt: int = Field(ge=1)
    """This grant included; grants that were returned are not counted."""
    run_attempt: int = Field(default=1, ge=1)
    """The same, since the batch's last retry."""
    epoch: int = Field(ge=1)
    sealed: UnderBatchKey
    """Who is called and with what, under the batch's key."""
    agent_id: str
    from_number: str
    place_before: Instant | None = None
    """When the window closes; None: it never does."""
    limit: int = Field(ge=1)
    """The account's limit this slot was granted under."""
    look_up_first: tuple[EarlierCall, ...] = ()
    """To be settled at the carrier before this one may ring."""
    max_duration_seconds: int = Field(default=3600, ge=1)

    @property
    def key(self) -> str:
        return str(self.recipient_id)

    @property
    def number(self) -> str:
        return str(self.grant_no)
