"""A call's events, as they are told: every one says whose call it is and how often it was tried."""

from datetime import datetime
from typing import Any

from contracts.calls import CallCompleted, CallStarted
from contracts.outcomes import Outcome
from services.dialer.call import Call


def facts(call: Call, now: datetime) -> dict[str, Any]:
    """What every event of a call says."""
    return {
        "account_id": call.account_id,
        "at": now,
        "batch_id": call.batch_id,
        "recipient_id": call.recipient_id,
        "call_id": call.call_id,
        "grant_no": call.grant_no,
        "attempt": call.attempt,
        "run_attempt": call.run_attempt,
        "epoch": call.epoch,
        "requested_at": call.requested_at,
    }


def started(call: Call, now: datetime) -> CallStarted:
    return CallStarted(
        **facts(call, now),
        carrier=call.carrier or "",
        carrier_call_id=call.carrier_call_id or "",
    )


def completed(
    call: Call, duration: float | None, now: datetime, *, late: bool = False
) -> CallCompleted:
    return CallCompleted(
        **facts(call, now),
        outcome=call.outcome or Outcome.UNKNOWN,
        cause=call.cause or "",
        carrier=call.carrier or "",
        carrier_call_id=call.carrier_call_id,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at or now,
        duration_seconds=duration,
        late=late,
    )
