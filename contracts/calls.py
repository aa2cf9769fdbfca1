"""The life of a call.  Nothing rings that CallPlacing has not announced."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.event import Event, Value
from contracts.instants import Instant
from contracts.outcomes import Outcome


class ReturnReason(StrEnum):
    GATE_CLOSED = "gate_closed"
    DEADLINE_PASSED = "deadline_passed"
    NUMBER_BUSY = "number_busy"
    CARRIER_OVERLOADED = "carrier_overloaded"
    FATAL_FAULT = "fatal_fault"


class CallEvent(Event):
    batch_id: UUID
    recipient_id: UUID
    call_id: UUID
    grant_no: int = Field(ge=1)
    attempt: int = Field(ge=1)
    run_attempt: int = Field(default=1, ge=1)
    epoch: int = Field(ge=1)
    requested_at: Instant | None = None
    """When the create request was due to leave; None: none was made."""

    @property
    def key(self) -> str:
        return str(self.recipient_id)

    @property
    def number(self) -> str:
        return str(self.grant_no)


class CallPlacing(CallEvent):
    """The one request is about to leave, by `send_before` or never."""

    carrier: str
    send_before: Instant


class CallStarted(CallEvent):
    """The carrier has taken it, under an id of its own."""

    carrier: str
    carrier_call_id: str


class Cost(Value):
    amount: float = Field(ge=0)
    currency: str = "USD"
    """ISO 4217."""


class CallCompleted(CallEvent):
    """The attempt is over.  A later one with a known outcome supersedes `unknown`."""

    schema_version: ClassVar[int] = 2
    """2: `cost` names its currency; in 1 it was a bare number of US dollars."""

    outcome: Outcome
    cause: str
    """A stable word: the carrier's (`sip_486`) or ours (`placement_unknown`)."""
    carrier: str
    carrier_call_id: str | None = None
    started_at: Instant | None = None
    answered_at: Instant | None = None
    ended_at: Instant
    duration_seconds: float | None = Field(default=None, ge=0)
    cost: Cost | None = None
    late: bool = False
    """It was given up as unknown before: true, but no reason to call again by itself."""

    @property
    def number(self) -> str:
        return f"{self.grant_no}{'?' if self.outcome is Outcome.UNKNOWN else ''}"


class CallReturned(CallEvent):
    """Given back unplaced: not an attempt.  The next grant has the next `grant_no`."""

    reason: ReturnReason
    detail: str | None = None
    """For a fatal fault, a stable word: `carrier_unauthorized`, ..."""
    not_before: Instant | None = None
