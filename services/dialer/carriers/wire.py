"""What the simulator says, read strictly where it decides something and tolerantly elsewhere.

Nothing passes that the database could not take: it shares its transaction with other calls' news.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, JsonValue, StringConstraints

from services.dialer.carriers.outcomes import outcome_of
from services.dialer.carriers.port import Conversation, Ending, Sighting

YEARS = range(2000, 2200)
A_YEAR = 366 * 86_400


def _in_utc(at: datetime) -> datetime:
    if at.year not in YEARS:  # at the ends of the calendar the change of zone itself fails
        raise ValueError("not the time of a call")
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Line = Annotated[str, StringConstraints(max_length=2048, pattern=r"^[^\x00-\x1f\x7f]*$")]
Word = Annotated[Line, StringConstraints(max_length=200)]
Id = Annotated[Word, StringConstraints(min_length=1)]
SipCode = Annotated[int, Field(ge=0, lt=1000)]
Seconds = Annotated[float, Field(ge=0, le=A_YEAR)]


class Accepted(BaseModel):
    carrier_call_id: Id


class Callback(BaseModel):
    carrier_call_id: Id
    call_id: UUID
    event: Literal["ringing", "answered", "ended"]
    at: Instant
    sip_code: SipCode | None = None
    answered_by: Word | None = None
    duration: Seconds | None = None
    transcript: list[dict[str, str]] = Field(default_factory=list)
    collected: dict[str, JsonValue] = Field(default_factory=dict)
    recording_url: Line | None = None

    def sighting(self) -> Sighting:
        if self.event != "ended":
            answered_at = self.at if self.event == "answered" else None
            return Sighting(self.carrier_call_id, answered_at, self.answered_by)
        outcome, cause = outcome_of(self.sip_code, self.answered_by)
        ending = Ending(self.at, outcome, cause, self.duration, self._conversation())
        return Sighting(self.carrier_call_id, None, self.answered_by, ending)

    def _conversation(self) -> Conversation | None:
        if not (self.transcript or self.collected or self.recording_url):
            return None
        said = {name: _text(value) for name, value in self.collected.items()}
        return Conversation(tuple(self.transcript), said, self.recording_url)


class Found(BaseModel):
    """A call as `GET /calls` shows it."""

    carrier_call_id: Id
    created_at: Instant
    status: Literal["queued", "ringing", "in_progress", "ended"]
    sip_code: SipCode | None = None
    answered_at: Instant | None = None
    answered_by: Word | None = None
    ended_at: Instant | None = None
    duration: Seconds | None = None

    def sighting(self) -> Sighting:
        ending = None
        if self.status == "ended":
            outcome, cause = outcome_of(self.sip_code, self.answered_by)
            ending = Ending(self.ended_at or self.created_at, outcome, cause, self.duration)
        return Sighting(self.carrier_call_id, self.answered_at, self.answered_by, ending)


class FoundCalls(BaseModel):
    data: list[Found]


def _text(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
