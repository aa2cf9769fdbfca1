"""Who is to be called, in chunks of at most 512 KB: sealed, but for what the scheduler needs."""

from uuid import UUID

from pydantic import Field

from contracts.event import BatchEvent, Value
from contracts.instants import Instant
from contracts.sealed import UnderBatchKey

CHUNK_BYTES = 512 * 1024
ROW_BYTES = 256 * 1024


class RecipientEntry(Value):
    recipient_id: UUID
    row: int = Field(ge=1)
    sealed: UnderBatchKey
    """Number, name, variables and own settings (`RecipientSecrets`), under the batch's key."""
    zones: tuple[str, ...] = ()
    """The zones the number may be in, or the one its row names; empty: not known."""
    not_before: Instant | None = None
    from_number: str | None = None
    same_number_as: UUID | None = None
    """The nearest earlier recipient with this number; granted only after that one has ended."""


class ChunkEvent(BatchEvent):
    """Keyed by its own id, to spread a large list over all partitions."""

    addition_id: UUID
    chunk_id: UUID
    chunk_no: int = Field(ge=0)
    chunks: int = Field(ge=1)

    @property
    def key(self) -> str:
        return str(self.chunk_id)

    @property
    def number(self) -> str:
        return str(self.chunk_no)


class RecipientsAdded(ChunkEvent):
    """A part of a list; its batch is called once all parts have landed."""

    recipients: tuple[RecipientEntry, ...]


class RecipientsRejected(ChunkEvent):
    """The error log of an upload."""

    count: int = Field(ge=1)
    sealed: UnderBatchKey
    """The rows and what is wrong with each (`Rejections`), under the batch's key."""
