"""What clients read: fields are added here freely, and changed never."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

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


class Counts(BaseModel):
    total: int
    pending: int
    queued: int
    in_progress: int
    completed: int
    failed: int
    no_answer: int
    rejected: int


class NoEstimateShape(BaseModel):
    code: Unknown
    message: str


class BatchShape(BaseModel):
    batch_id: UUID
    name: str | None
    status: BatchStatus
    phase: Annotated[Phase, Field(description=EXPLAINED)]
    result: Result | None
    reason: str | None
    reason_code: str | None
    agent_id: str
    from_number: str
    window: Window
    reserved_concurrency: int
    retry_policy: RetryPolicy
    created_at: datetime
    scheduled_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    recipients: Counts
    outcomes: dict[Outcome, int]
    remaining: int
    percent: float
    calls_per_minute: Annotated[float, Field(description=PACE)]
    estimated_finish_at: datetime | None
    estimate_reason: Annotated[NoEstimateShape | None, Field(description="Why there is none.")]
    allowed_actions: tuple[Action, ...]


class RecipientShape(BaseModel):
    recipient_id: UUID
    row: int
    phone_number: str | None
    name: str | None
    variables: dict[str, str]
    status: RecipientStatus
    outcome: Outcome | None
    attempts: int
    next_attempt_at: datetime | None
    call_id: UUID | None


class ReasonShape(BaseModel):
    code: Code
    message: str
    until: datetime | None


class WhyShape(BaseModel):
    recipient_id: UUID
    status: RecipientStatus
    reasons: list[ReasonShape]


class CallShape(BaseModel):
    call_id: UUID
    batch_id: UUID
    recipient_id: UUID
    attempt: int
    status: str
    outcome: Outcome | None
    cause: str | None
    requested_at: datetime | None
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    recording_url: str | None
    transcript: tuple[dict[str, str], ...] | None
    collected: dict[str, str] | None
    cost: Cost | None


class EntryShape(BaseModel):
    event_id: UUID
    type: str
    at: datetime
    actor: str | None
    recipient_id: UUID | None
    call_id: UUID | None
    data: dict[str, Any]


class RejectionShape(BaseModel):
    row: int
    line: int | None
    phone_number: str | None
    name: str | None
    errors: tuple[FieldError, ...]


class AccountShape(BaseModel):
    account_id: str
    concurrency: int
    default_window: Window | None
    allowed_regions: tuple[str, ...] | None


class AgentShape(BaseModel):
    agent_id: str
    name: str
    phone_number: str | None
    active: bool


class PhoneNumberShape(BaseModel):
    phone_number: str
    outbound: bool
    active: bool
