"""What a call does follows from seed, call_id and number alone, never from arrival order or clock.

If that broke, a failing run could not be run again.
"""

import math
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Outcome = Literal["answered", "voicemail", "busy", "no_answer", "declined", "invalid"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Reception = Literal[
    "unauthorized",
    "server_error",
    "unavailable",
    "lost_request",
    "slow",
    "lost_response",
    "normal",
]

ALWAYS: dict[str, Outcome] = {
    "0001": "answered",
    "0002": "busy",
    "0003": "no_answer",
    "0004": "voicemail",
    "0005": "declined",
    "0006": "invalid",
}
SIP_CODES: dict[Outcome, int] = {
    "answered": 200,
    "voicemail": 200,
    "busy": 486,
    "no_answer": 480,
    "declined": 603,
    "invalid": 404,
}
SILENT: frozenset[Outcome] = frozenset({"busy", "invalid"})  # the network answers, no phone rings


def _ordered(span: "float | tuple[float, float]") -> "float | tuple[float, float]":
    if isinstance(span, tuple) and span[0] > span[1]:
        raise ValueError("the first of the two must not be the larger")
    return span


Probability = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Span = Annotated[Seconds | tuple[Seconds, Seconds], AfterValidator(_ordered)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Faults(Part):
    """Probabilities; each is drawn from seed and call_id, so the same call meets the same fault."""

    unauthorized: Probability = 0.0
    error_5xx: Probability = 0.0
    slow: Probability = 0.0
    lost_response: Probability = 0.0
    lost_request: Probability = 0.0
    duplicate_callback: Probability = 0.0
    late_callback: Probability = 0.0
    reordered_callback: Probability = 0.0
    slow_seconds: Seconds = 5.0
    late_seconds: Seconds = 5.0


class Behaviour(Part):
    seed: int = 0
    outcomes: dict[Outcome, Weight] = {
        "answered": 0.6,
        "voicemail": 0.15,
        "busy": 0.08,
        "no_answer": 0.12,
        "declined": 0.03,
        "invalid": 0.02,
    }
    ring_seconds: Span = (1.0, 4.0)
    talk_seconds: Span = (3.0, 12.0)
    calls_per_second: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    idempotent: bool = False
    faults: Faults = Faults()

    @model_validator(mode="after")
    def _something_can_happen(self) -> Self:
        total = sum(self.outcomes.values())
        if total <= 0 or math.isinf(total):
            raise ValueError("outcomes need weights of which one at least is above zero")
        return self


@dataclass(frozen=True, slots=True)
class Script:
    """How one call will go unless somebody hangs up."""

    outcome: Outcome
    ring_seconds: float
    talk_seconds: float

    @property
    def rings(self) -> bool:
        return self.outcome not in SILENT

    @property
    def sip_code(self) -> int:
        return SIP_CODES[self.outcome]

    @property
    def answered_by(self) -> str | None:
        return {"answered": "human", "voicemail": "machine"}.get(self.outcome)


def draw(seed: int, call_id: str, purpose: str) -> float:
    """A number in [0, 1); another purpose is another, independent draw."""
    digest = blake2b(f"{seed}\0{call_id}\0{purpose}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def chance(probability: float, seed: int, call_id: str, purpose: str) -> bool:
    return probability > 0 and draw(seed, call_id, purpose) < probability


def reception(behaviour: Behaviour, call_id: str) -> Reception:
    """How the create request fares; the first fault that strikes is the one that counts."""
    faults, seed = behaviour.faults, behaviour.seed
    if chance(faults.unauthorized, seed, call_id, "unauthorized"):
        return "unauthorized"
    if chance(faults.error_5xx, seed, call_id, "error_5xx"):
        return "server_error" if draw(seed, call_id, "which_5xx") < 1 / 2 else "unavailable"
    if chance(faults.lost_request, seed, call_id, "lost_request"):
        return "lost_request"
    if chance(faults.lost_response, seed, call_id, "lost_response"):
        return "lost_response"
    if chance(faults.slow, seed, call_id, "slow"):
        return "slow"
    return "normal"


def script(behaviour: Behaviour, call_id: str, to: str) -> Script:
    return Script(
        outcome=ALWAYS.get(to[-4:]) or _weighted(behaviour, call_id),
        ring_seconds=_within(behaviour.ring_seconds, behaviour.seed, call_id, "ring_seconds"),
        talk_seconds=_within(behaviour.talk_seconds, behaviour.seed, call_id, "talk_seconds"),
    )


def _weighted(behaviour: Behaviour, call_id: str) -> Outcome:
    possible = [name for name in OUTCOMES if behaviour.outcomes.get(name, 0) > 0]
    left = draw(behaviour.seed, call_id, "outcome") * sum(behaviour.outcomes.values())
    for name in possible:
        left -= behaviour.outcomes[name]
        if left < 0:
            return name
    return possible[-1]  # what rounding left over


def _within(span: float | tuple[float, float], seed: int, call_id: str, purpose: str) -> float:
    if not isinstance(span, tuple):
        return span
    low, high = span
    return low + (high - low) * draw(seed, call_id, purpose)
