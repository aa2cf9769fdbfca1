"""What a carrier's answer is evidence of.  Given back means certainly not placed."""

from datetime import timedelta
from typing import assert_never

from contracts.calls import ReturnReason
from services.dialer.carriers.port import (
    Ambiguous,
    Answer,
    Overloaded,
    Placed,
    Refused,
    Sighting,
    Unauthorized,
    Unsent,
)
from services.dialer.domain import Evidence, GivenBack


def evidence_of(answer: Answer, *, unreachable_for: float) -> Evidence:
    match answer:
        case Placed():
            return Sighting(answer.carrier_call_id)
        case Refused() | Ambiguous():
            return answer
        case Overloaded():
            wait = timedelta(seconds=answer.retry_after)
            return GivenBack(ReturnReason.CARRIER_OVERLOADED, wait=wait)
        case Unauthorized():
            return GivenBack(ReturnReason.FATAL_FAULT, "carrier_unauthorized")
        case Unsent(unreachable=True):
            wait = timedelta(seconds=unreachable_for)
            return GivenBack(ReturnReason.DEADLINE_PASSED, "carrier_unreachable", wait)
        case Unsent():
            return GivenBack(ReturnReason.DEADLINE_PASSED)
        case _ as never:
            assert_never(never)


def pause_after(answer: Answer, *, unreachable_for: float) -> float | None:
    """Seconds in which no dialer should ask this carrier; None: go on."""
    match answer:
        case Overloaded():
            return answer.retry_after
        case Unsent(unreachable=True):
            return unreachable_for
        case _:
            return None
