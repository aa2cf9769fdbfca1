"""What clients read: fields are added here freely, and changed never."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.batches import RetryPolicy
from contracts.calendar import Window
from contracts.calls import Cost
from contracts.eligibility import Code
from contracts.outcomes import Outcome, RecipientStatus
from contracts.sealed import FieldError
from contracts.statuses import Action, BatchStatus, Result
from services.projections.domain.estimate import Unknown
from services.projections.domain.pace import EXPLAINED as PACE
from services.projections.domain.phase import EXPLAINED, Phase


class Shape(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Counts(Shape):
    total: int
    """Everybody accepted into the batch, whoever was removed left out."""
    pending: int
    """Not called yet, waiting for a slot, or for a further attempt."""
    queued: int
    """A slot is granted: about to be called."""
    in_progress: int
    """In a call, or in one whose end nobody has seen yet."""
    completed: int
    """Reached: a person or a voicemail answered."""
    failed: int
    """Final, for another reason than not answering."""
    no_answer: int
    """Final: no answer, busy or declined."""
    rejected: int
    """Rows that were refused; not part of `total`. See the rejections."""


class NoEstimateShape(Shape):
    code: Unknown
    """A stable word."""
    message: str
    """The same for people."""


class BatchShape(Shape):
    batch_id: UUID
    name: str | None
    """null: the batch is deleted and its key gone."""
    status: BatchStatus
    phase: Annotated[Phase, Field(description=EXPLAINED)]
    result: Result | None
    """How it went; null: it has not ended."""
    reason: str | None
    """Why it has this status, in words; null: nothing is to be said."""
    reason_code: str | None
    """The same as a stable word."""
    agent_id: str
    from_number: str
    """The caller id, E.164."""
    window: Window
    """When calls may begin, in wall-clock time of its zone."""
    reserved_concurrency: int
    """Slots it leaves free for the account's other calls."""
    retry_policy: RetryPolicy
    created_at: datetime
    """When it was created."""
    scheduled_at: datetime | None
    """Not before this instant; null: at once."""
    started_at: datetime | None
    """null: not yet."""
    finished_at: datetime | None
    """null: it has not ended, or goes on again."""
    expires_at: datetime | None
    """Who is not called by then fails as `expired`; null: not started yet."""
    recipients: Counts
    outcomes: dict[Outcome, int]
    """Outcome of the last call -> recipients; those that nobody has are left out."""
    remaining: int
    """Recipients who are not final yet."""
    percent: float
    """Of all recipients, how many are final: 0 to 100."""
    calls_per_minute: Annotated[float, Field(description=PACE)]
    estimated_finish_at: datetime | None
    """When the last call should be over; null: see `estimate_reason`."""
    estimate_reason: Annotated[NoEstimateShape | None, Field(description="Why there is none.")]
    allowed_actions: tuple[Action, ...]
    """What may be asked of it now."""


class RecipientShape(Shape):
    recipient_id: UUID
    row: int
    """The row in its list, from 1; added recipients count on."""
    phone_number: str | None
    """E.164, or the digits as given where the row ignores E.164; null: deleted."""
    name: str | None
    """null: none was given, or it is deleted."""
    variables: dict[str, str]
    """What the agent is told, by name; empty once it is deleted."""
    status: RecipientStatus
    outcome: Outcome | None
    """Of the last call that ended; null: none has."""
    attempts: int
    """Calls so far, the present one included."""
    next_attempt_at: datetime | None
    """Not before this instant; null: no need to wait, or no further call."""
    call_id: UUID | None
    """The latest call; null: none yet."""


class ReasonShape(Shape):
    code: Code
    """A stable word."""
    message: str
    """The same for people."""
    until: datetime | None
    """Until when at least; null: no instant can be named."""


class WhyShape(Shape):
    recipient_id: UUID
    status: RecipientStatus
    reasons: list[ReasonShape]
    """Why this recipient is where it is: the first that holds."""


class CallShape(Shape):
    call_id: UUID
    batch_id: UUID
    recipient_id: UUID
    attempt: int
    """Which of the recipient's calls, from 1; given back ones are not counted."""
    status: str
    """How far it is, in a stable word."""
    outcome: Outcome | None
    """null: it has not ended."""
    cause: str | None
    """A stable word: the carrier's (`sip_486`) or ours (`placement_unknown`)."""
    requested_at: datetime | None
    """When the request to the carrier was due to leave; null: none was made."""
    started_at: datetime | None
    """When the carrier took it."""
    answered_at: datetime | None
    """null: nobody answered."""
    ended_at: datetime | None
    """null: it has not ended, or nobody saw how."""
    duration_seconds: float | None
    """Of the talk, in seconds; null: there was none."""
    recording_url: str | None
    """null: none, or deleted."""
    transcript: tuple[dict[str, str], ...] | None
    """Who said what, in order; null: none, or deleted."""
    collected: dict[str, str] | None
    """What the agent was to find out, by name; null: none, or deleted."""
    cost: Cost | None
    """What the carrier charges; null: not said."""


class EntryShape(Shape):
    event_id: UUID
    type: str
    """The event's name."""
    at: datetime
    """When it was so."""
    actor: str | None
    """Who asked; null: nobody did."""
    recipient_id: UUID | None
    call_id: UUID | None
    data: dict[str, Any]
    """What else the event says, without anything of a person."""


class RejectionShape(Shape):
    row: int
    """The row in its list, from 1."""
    line: int | None
    """The line in its file; null: it was not a file."""
    phone_number: str | None
    """As it was given; null: none was, or it is deleted."""
    name: str | None
    """null: none was given, or it is deleted."""
    errors: tuple[FieldError, ...]
    """Everything that is wrong with it."""


class AccountShape(Shape):
    account_id: str
    concurrency: int
    """Calls in flight at a time, over all batches."""
    default_window: Window | None
    """For batches that name none; null: each has to name one."""
    allowed_regions: tuple[str, ...] | None
    """ISO 3166 countries that may be called; null: all."""


class AgentShape(Shape):
    agent_id: str
    name: str
    phone_number: str | None
    """What it calls from where a batch names no other, E.164; null: none."""
    active: bool
    """Whether batches may name it."""


class PhoneNumberShape(Shape):
    phone_number: str
    outbound: bool
    """Whether calls may leave from it."""
    active: bool
    """false: disabled."""
