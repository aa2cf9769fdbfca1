"""A batch as the reads show it, as far as its creation can know: one shape for one thing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from contracts.batches import RetryPolicy
from contracts.calendar import Window
from contracts.lifecycle import allowed_actions
from contracts.statuses import Action, BatchStatus, Result
from services.ingest.domain.batch import Terms


class Counts(BaseModel):
    total: int
    pending: int
    queued: int = 0
    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    no_answer: int = 0
    rejected: int


class BatchAnswer(BaseModel):
    batch_id: UUID
    name: str
    status: BatchStatus
    phase: str
    result: Result | None = None
    reason: str | None = None
    agent_id: str
    from_number: str
    window: Window
    reserved_concurrency: int
    retry_policy: RetryPolicy
    created_at: datetime
    scheduled_at: datetime | None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None
    recipients: Counts
    outcomes: dict[str, int] = {}
    remaining: int
    percent: float = 0
    calls_per_minute: float = 0
    estimated_finish_at: datetime | None = None
    allowed_actions: tuple[Action, ...]


def taken(terms: Terms, *, accepted: int, rejected: int, at: datetime) -> dict[str, Any]:
    request = terms.request
    status = BatchStatus.SCHEDULED if request.start else BatchStatus.PENDING
    answer = BatchAnswer(
        batch_id=terms.batch_id,
        name=request.name,
        status=status,
        phase="initializing",
        agent_id=request.agent_id,
        from_number=terms.from_number,
        window=terms.window,
        reserved_concurrency=request.reserved_concurrency,
        retry_policy=request.retry_policy.policy(),
        created_at=at,
        scheduled_at=request.scheduled_at,
        expires_at=request.expires_at,
        recipients=Counts(total=accepted, pending=accepted, rejected=rejected),
        remaining=accepted,
        allowed_actions=allowed_actions(status, failures=0),
    )
    return answer.model_dump(mode="json")
