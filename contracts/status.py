"""What became of a batch: every event carries the whole status, the highest `sequence` is it."""

from uuid import UUID

from pydantic import Field

from contracts.event import BatchEvent
from contracts.instants import Instant
from contracts.statuses import Action, BatchStatus, Result


class BatchStatusEvent(BatchEvent):
    sequence: int = Field(ge=1)
    status: BatchStatus
    result: Result | None = None
    reason_code: str | None = None
    reason: str | None = None
    epoch: int = Field(ge=0)
    """Raised by start, resume and retry; a grant is good only above the gate's closed epoch."""
    retry_epoch: int = Field(default=0, ge=0)
    """A failed recipient whose grant is older than this is called again."""
    unknown_retry_epoch: int = Field(default=0, ge=0)
    """The same for those whose outcome is unknown: raised only when a person includes them."""
    command_no: int = Field(ge=1)
    """The last command seen."""
    command_id: UUID | None = None
    """The command this is the verdict on; None: nobody asked, it was due."""
    scheduled_at: Instant | None = None
    started_at: Instant | None = None
    finished_at: Instant | None = None
    expires_at: Instant | None = None

    @property
    def number(self) -> str:
        return str(self.sequence)


class BatchScheduled(BatchStatusEvent):
    """Taken note of: SCHEDULED, or PENDING where it waits to be started by hand."""


class BatchStarted(BatchStatusEvent):
    """RUNNING: calls are granted while its window is open."""


class BatchPaused(BatchStatusEvent):
    """PAUSED: nothing is granted; a call under way goes on."""


class BatchResumed(BatchStatusEvent):
    """RUNNING again."""


class BatchCancelled(BatchStatusEvent):
    """CANCELLED: who is pending stays so, for a retry."""


class BatchRetried(BatchStatusEvent):
    """RUNNING again, and who failed or did not answer is pending again."""


class BatchCompleted(BatchStatusEvent):
    """COMPLETED: nobody is left; `result` says how it went."""

    expired: bool = False
    """What was still pending is FAILED with outcome `expired`."""


class BatchFailed(BatchStatusEvent):
    """FAILED by itself, for `reason_code`; who is pending stays so, for a retry."""


class RecipientsAddAccepted(BatchStatusEvent):
    """The verdict on an addition: its rows will be called."""

    addition_id: UUID


class RecipientRemoved(BatchStatusEvent):
    """The verdict on a removal: this one is not called any more."""

    recipient_id: UUID


class BatchActionRejected(BatchStatusEvent):
    """The status is as it was."""

    action: Action | str
    refusal: str | None = None
    """Why, in a stable word: `action_not_allowed`, `batch_ended`, `recipient_called`, ..."""
    allowed_actions: tuple[Action, ...] = ()
