"""What people asked of a batch.  `command_no` has no gaps; an older one is ignored."""

from typing import ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.calendar import Window
from contracts.event import BatchEvent, Value
from contracts.instants import Instant
from contracts.outcomes import Outcome
from contracts.sealed import UnderBatchKey

MOST_ATTEMPTS: Final = 10
"""Of one run, by its own policy."""


class RetryPolicy(Value):
    """Automatic further attempts: each attempt of a run counts, the last delay serves the rest."""

    max_attempts: int = Field(default=1, ge=1, le=MOST_ATTEMPTS)
    delay_seconds: tuple[int, ...] = (3600,)
    on: tuple[Outcome, ...] = (Outcome.NO_ANSWER, Outcome.BUSY)

    def delay_after(self, attempt: int) -> int:
        """Seconds from the end of this attempt (from 1) to the next."""
        if not self.delay_seconds:
            return 0
        return self.delay_seconds[min(attempt, len(self.delay_seconds)) - 1]


class Addition(Value):
    """A list that goes into a batch.  Nobody of it is called before all its chunks have landed."""

    addition_id: UUID
    chunks: int = Field(ge=0)
    recipients: int = Field(ge=0)
    rejected: int = Field(default=0, ge=0)
    rejection_chunks: int = Field(default=0, ge=0)
    last_row: int = Field(default=0, ge=0)
    """The highest number a row of it has; a further addition counts on from there."""
    list_id: UUID | None = None
    """The list it was made of, which is deleted with its batch."""


class BatchCommand(BatchEvent):
    command_no: int = Field(ge=1)
    command_id: UUID
    actor: str
    """Who asked: an API key's name, or `rollcall` for what ingest says by itself."""

    @property
    def number(self) -> str:
        return str(self.command_no)


class BatchCreated(BatchCommand):
    """A batch with all its settings; its list comes in chunks of another topic."""

    name: UnderBatchKey
    """Sealed under the batch's key."""
    agent_id: str
    from_number: str
    window: Window
    scheduled_at: Instant | None = None
    """None: as soon as all chunks have landed."""
    expires_at: Instant | None = None
    start: bool = True
    reserved_concurrency: int = Field(default=0, ge=0)
    retry_policy: RetryPolicy = RetryPolicy()
    on_invalid: Literal["skip", "reject"] = "skip"
    addition: Addition
    webhook: UnderBatchKey | None = None
    """Sealed under the batch's key."""


class BatchRenamed(BatchCommand):
    """A fact: it needs no verdict."""

    name: UnderBatchKey
    """Sealed under the batch's key."""


class BatchStartRequested(BatchCommand):
    """Somebody asks to begin; the verdict names this `command_id`."""


class BatchPauseRequested(BatchCommand):
    """Somebody asks that no further call begins."""


class BatchResumeRequested(BatchCommand):
    """Somebody asks to go on after a pause."""


class BatchCancelRequested(BatchCommand):
    """Somebody asks to end it without calling the rest."""


class BatchRetryRequested(BatchCommand):
    """Somebody asks to call again who failed or did not answer."""

    include_unknown: bool = False
    expires_at: Instant | None = None


class RecipientsAddRequested(BatchCommand):
    """Somebody asks to call these, too; their rows follow once it is accepted."""

    addition: Addition


class RecipientRemovalRequested(BatchCommand):
    """Somebody asks not to call this one."""

    recipient_id: UUID


class BatchImportFailed(BatchCommand):
    """The rows of an addition are lost or cannot be read: its chunks will never all land."""

    addition_id: UUID
    reason: str


class BatchDeleted(BatchCommand):
    """A fact: it is shown no more, and its key is destroyed once its last call is over."""

    erases: ClassVar[bool] = True
