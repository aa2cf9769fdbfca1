"""What a command may say: an unknown field, a wrong type or an instant without a zone stops here.

Custom error types are the codes people see.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError, to_json

from contracts.batches import RetryPolicy
from contracts.calendar import Window
from contracts.instants import Instant
from contracts.outcomes import Outcome
from services.ingest.domain.directory import DEFAULT_CONCURRENCY

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
SETTINGS = ("not_before", "timezone", "from_number", "language", "first_message", "webhook_url")
NAME_LENGTH = 100
THIRTY_DAYS = 30 * 24 * 3600
RETRYABLE = frozenset(
    {
        Outcome.NO_ANSWER,
        Outcome.BUSY,
        Outcome.DECLINED,
        Outcome.VOICEMAIL,
        Outcome.INVALID,
        Outcome.FAILED,
    }
)


def _name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH:
        raise PydanticCustomError("name_length", "Give a name of 1 to 100 characters.")
    return name


def _phone_number(number: str) -> str:
    if not E164.fullmatch(number):
        message = "Write the number in E.164, for example +12025550123."
        raise PydanticCustomError("phone_not_e164", message)
    return number


def _instant(instant: Any) -> Any:
    if not isinstance(instant, str) or not RFC3339.match(instant):
        message = "Write the instant as RFC 3339 does, for example 2026-11-21T09:00:00+01:00."
        raise PydanticCustomError("field_invalid", message)
    return instant


def _region(region: str) -> str:
    if region not in SUPPORTED_REGIONS:
        message = "Name regions by their ISO 3166 code, for example FR."
        raise PydanticCustomError("field_invalid", message)
    return region


def _retryable(outcome: Outcome) -> Outcome:
    if outcome not in RETRYABLE:
        message = f"Retry only on: {', '.join(sorted(RETRYABLE))}."
        raise PydanticCustomError("field_invalid", message)
    return outcome


Name = Annotated[str, AfterValidator(_name)]
PhoneNumber = Annotated[str, AfterValidator(_phone_number)]
Moment = Annotated[Instant, Field(strict=False), BeforeValidator(_instant)]
AgentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:~-]{1,100}$")]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2000)]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AccountRequest(Request):
    concurrency: int = Field(default=DEFAULT_CONCURRENCY, ge=1, le=100_000)
    default_window: Window | None = None
    allowed_regions: list[Annotated[str, AfterValidator(_region)]] | None = None


class AgentRequest(Request):
    name: Name
    phone_number: PhoneNumber | None = None
    active: bool = True
    webhook_url: WebAddress | None = None


class PhoneNumberRequest(Request):
    outbound: bool


class RetryPolicyRequest(Request):
    max_attempts: int = Field(default=1, ge=1, le=10)
    delay_seconds: tuple[Annotated[int, Field(ge=0, le=THIRTY_DAYS)], ...] = (3600,)
    on: tuple[Annotated[Outcome, AfterValidator(_retryable)], ...] = RetryPolicy().on

    def policy(self) -> RetryPolicy:
        return RetryPolicy.model_validate(self.model_dump())


class BatchRequest(Request):
    """Everything about a batch but its recipients, which are read on their own, one by one."""

    name: Name
    agent_id: str
    from_number: str | None = None
    recipient_list_id: UUID | None = None
    window: Window | None = None
    scheduled_at: Moment | None = None
    expires_at: Moment | None = None
    start: bool = True
    reserved_concurrency: int = Field(default=0, ge=0)
    retry_policy: RetryPolicyRequest = RetryPolicyRequest()
    on_invalid: Literal["skip", "reject"] = "skip"


class RecipientRequest(Request):
    """Only its form is judged here; what it says is judged as a row of a file would be."""

    phone_number: str | None = Field(
        default=None, validation_alias=AliasChoices("phone_number", "phoneNumber", "phone")
    )
    name: str | None = None
    ignore_e164_validation: bool | str = Field(
        default="",
        validation_alias=AliasChoices("ignore_e164_validation", "ignoreE164Validation"),
    )
    variables: dict[str, Any] = Field(
        default_factory=dict, validation_alias=AliasChoices("variables", "dynamic_vars")
    )
    not_before: str | None = None
    timezone: str | None = None
    from_number: str | None = None
    language: str | None = None
    first_message: str | None = None
    webhook_url: str | None = None

    def texts(self) -> dict[str, str]:
        """A prompt knows text only; what is not text is written as JSON."""
        return {
            name: value
            if isinstance(value, str)
            else ""
            if value is None
            else to_json(value).decode()
            for name, value in self.variables.items()
        }

    def settings(self) -> Iterator[tuple[str, str | None]]:
        for name in SETTINGS:
            yield name, getattr(self, name)
