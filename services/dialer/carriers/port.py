"""What a dialer needs of a carrier.  `place` makes at most one create request, and never a second.

Whoever writes an adapter: connect, ask `may_send` with nothing awaited between its yes and the
write, answer Ambiguous for everything that is not a definite word of the carrier.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Order:
    """A call to be placed.  Holds personal data: neither its repr nor a log shows it."""

    call_id: UUID
    agent_id: str
    from_number: str
    max_duration_seconds: int
    to: str = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    carrier_call_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely not placed, and asking again would not help."""

    outcome: Outcome
    cause: str


@dataclass(frozen=True, slots=True)
class Overloaded:
    """Definitely not placed; the carrier takes more in a while."""

    retry_after: float


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """Definitely not placed, and no other call would be: the credentials are refused."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """Nothing was written: the deadline passed first, or there was no connection."""

    unreachable: bool


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have been placed."""

    cause: str


Answer = Placed | Refused | Overloaded | Unauthorized | Unsent | Ambiguous


@dataclass(frozen=True, slots=True)
class Conversation:
    transcript: tuple[dict[str, str], ...] = field(default=(), repr=False)
    collected: Mapping[str, str] = field(default_factory=dict, repr=False)
    recording_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ending:
    at: datetime
    outcome: Outcome
    cause: str
    duration_seconds: float | None = None
    conversation: Conversation | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the carrier says of a call it has, in a callback or when it is looked up."""

    carrier_call_id: str
    answered_at: datetime | None = None
    answered_by: str | None = None
    ending: Ending | None = None
    """None: it is live."""


class LookUpError(Exception):
    """The carrier could not say: nothing follows from it."""


class Carrier(Protocol):
    name: str

    async def place(self, order: Order, may_send: Callable[[], bool]) -> Answer: ...

    async def look_up(
        self, call_id: UUID, *, to: str | None, from_number: str | None, since: datetime | None
    ) -> Sighting | None:
        """The call as the carrier has it, None if it has none.  Raises LookUpError."""
        ...

    async def hang_up(self, carrier_call_id: str) -> None:
        """Raises LookUpError where it is not known whether it was heard."""
        ...

    def heard(self, body: bytes) -> tuple[UUID, Sighting]:
        """What a callback says, and of which call.  Raises NotACallbackError."""
        ...

    async def close(self) -> None: ...


class NotACallbackError(Exception):
    """What was posted is not this carrier's word; the message holds none of it."""
