"""What the simulator says, read strictly where it decides something and tolerantly elsewhere."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from services.dialer.carriers.outcomes import outcome_of
from services.dialer.carriers.port import Conversation, Ending, Sighting


class Accepted(BaseModel):
    carrier_call_id: str = Field(min_length=1)


class Callback(BaseModel):
    carrier_call_id: str
    call_id: UUID
    event: Literal["ringing", "answered", "ended"]
    at: AwareDatetime
    sip_code: int | None = None
    answered_by: str | None = None
    duration: float | None = Field(default=None, ge=0)
    transcript: list[dict[str, str]] = Field(default_factory=list)
    collected: dict[str, JsonValue] = Field(default_factory=dict)
    recording_url: str | None = None

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

    carrier_call_id: str
    created_at: AwareDatetime
    status: Literal["queued", "ringing", "in_progress", "ended"]
    sip_code: int | None = None
    answered_at: AwareDatetime | None = None
    answered_by: str | None = None
    ended_at: AwareDatetime | None = None
    duration: float | None = Field(default=None, ge=0)

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
