"""From what stands in the model to what clients read."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import TypeAdapter

from contracts.calls import Cost
from contracts.eligibility import Reason
from contracts.ids import call_id_of
from contracts.outcomes import Outcome, RecipientStatus
from contracts.progress import Stage
from contracts.sealed import ConversationSecrets, FieldError
from services.projections.api.shapes import (
    BatchShape,
    CallShape,
    Counts,
    NoEstimateShape,
    ReasonShape,
    RecipientShape,
    RejectionShape,
    WhyShape,
)
from services.projections.domain.batch import Batch
from services.projections.domain.estimate import MESSAGES as NO_ESTIMATE
from services.projections.domain.estimate import Unknown, estimate
from services.projections.domain.pace import pace_of
from services.projections.domain.phase import phase_of
from services.projections.domain.recipient import call_status, next_attempt_at
from services.projections.domain.words import Telling
from services.projections.progress_rows import progress_of_row

if TYPE_CHECKING:
    from asyncpg import Record

_VARIABLES = TypeAdapter(dict[str, str])
_ERRORS = TypeAdapter(tuple[FieldError, ...])


def show_batch(batch: Batch, now: datetime) -> BatchShape:
    created, state = batch.created, batch.state
    pace = pace_of(batch, now)
    finish = estimate(batch, pace, now)
    return BatchShape(
        batch_id=batch.batch_id,
        name=batch.name,
        status=batch.status,
        phase=phase_of(batch, now),
        result=batch.result,
        reason=state.reason or state.reason_code,
        reason_code=state.reason_code,
        agent_id=created.agent_id,
        from_number=created.from_number,
        window=created.window,
        reserved_concurrency=created.reserved_concurrency,
        retry_policy=created.retry_policy,
        created_at=batch.created_at,
        scheduled_at=state.scheduled_at or created.scheduled_at,
        started_at=state.started_at,
        finished_at=state.finished_at if batch.status is state.status else None,
        expires_at=state.expires_at,
        recipients=_counts(batch),
        outcomes=batch.outcomes,
        remaining=batch.remaining,
        percent=batch.percent,
        calls_per_minute=pace.per_minute,
        estimated_finish_at=None if isinstance(finish, Unknown) else finish,
        estimate_reason=_no_estimate(finish) if isinstance(finish, Unknown) else None,
        allowed_actions=batch.allowed_actions,
    )


def _no_estimate(why: Unknown) -> NoEstimateShape:
    return NoEstimateShape(code=why, message=NO_ESTIMATE[why])


def _counts(batch: Batch) -> Counts:
    by_status = {status.lower(): batch.count(status) for status in RecipientStatus}
    return Counts(total=batch.total, rejected=batch.rejected, **by_status)


def show_recipient(row: "Record", batch: Batch) -> RecipientShape:
    progress = progress_of_row(row)
    seen = batch.shown(progress)
    pending = seen.status is RecipientStatus.PENDING
    recipient_id, variables = row["recipient_id"], row["variables"]
    return RecipientShape(
        recipient_id=recipient_id,
        row=row["row"],
        phone_number=row["phone_number"],
        name=row["name"],
        variables={} if variables is None else _VARIABLES.validate_json(variables),
        status=seen.status,
        outcome=seen.outcome,
        attempts=progress.attempt,
        next_attempt_at=(
            next_attempt_at(progress, batch.rules, row["not_before"]) if pending else None
        ),
        call_id=(
            call_id_of(batch.batch_id, recipient_id, progress.grant_no)
            if progress.grant_no
            else None
        ),
    )


def show_why(recipient_id: UUID, reasons: Sequence[Reason], telling: Telling) -> WhyShape:
    return WhyShape(
        recipient_id=recipient_id,
        status=telling.batch.shown(telling.person.progress).status,
        reasons=[
            ReasonShape(code=each.code, message=telling.message(each), until=each.until)
            for each in reasons
        ],
    )


def show_call(row: "Record") -> CallShape:
    said = row["said"] and ConversationSecrets.model_validate_json(row["said"])
    outcome = row["outcome"] and Outcome(row["outcome"])
    cost = row["cost"]
    same = {name: row[name] for name in CallShape.model_fields if name in row and name != "cost"}
    return CallShape(
        **same,
        status=call_status(Stage(row["stage"]), outcome),
        recording_url=said and said.recording_url,
        transcript=said and said.transcript,
        collected=said and said.collected,
        cost=None if cost is None else Cost(amount=cost, currency=row["currency"]),
    )


def show_rejection(row: "Record") -> RejectionShape:
    return RejectionShape(
        row=row["row"],
        line=row["line"],
        phone_number=row["phone_number"],
        name=row["name"],
        errors=_ERRORS.validate_json(row["errors"]),
    )
