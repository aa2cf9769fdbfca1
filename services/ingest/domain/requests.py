"""What a command may say: an unknown field or a wrong type stops here, and what has no bound."""

from collections.abc import Iterator
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from contracts.batches import MOST_ATTEMPTS, RetryPolicy
from contracts.calendar import Window
from services.ingest.domain.directory import DEFAULT_CONCURRENCY
from services.ingest.domain.fields import (
    SURROGATE,
    Delays,
    Moment,
    Name,
    NamedAgent,
    PhoneNumber,
    Regions,
    Retryable,
    Variables,
    WebAddress,
    WrittenFlag,
)
from services.ingest.reading.columns import SETTINGS

FLAG_NAMES = AliasChoices("ignore_e164_validation", "ignoreE164Validation")


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AccountRequest(Request):
    concurrency: int = Field(default=DEFAULT_CONCURRENCY, ge=1, le=100_000)
    default_window: Window | None = None
    allowed_regions: Regions | None = None


class AgentRequest(Request):
    name: Name
    phone_number: PhoneNumber | None = None
    active: bool = True
    webhook_url: WebAddress | None = None


class PhoneNumberRequest(Request):
    outbound: bool


class RetryPolicyRequest(Request):
    max_attempts: int = Field(default=1, ge=1, le=MOST_ATTEMPTS)
    delay_seconds: Delays = (3600,)
    on: Retryable = RetryPolicy().on

    def policy(self) -> RetryPolicy:
        return RetryPolicy.model_validate(self.model_dump())


class BatchRequest(Request):
    """Everything about a batch but its recipients, which are read on their own, one by one."""

    name: Name
    agent_id: NamedAgent
    from_number: str | None = None
    recipient_list_id: UUID | None = None
    window: Window | None = None
    scheduled_at: Moment | None = None
    expires_at: Moment | None = None
    start: bool = True
    reserved_concurrency: int = Field(default=0, ge=0)
    retry_policy: RetryPolicyRequest = RetryPolicyRequest()
    on_invalid: Literal["skip", "reject"] = "skip"


class NoRequest(Request):
    """Nothing is to be said."""


class RetryRequest(Request):
    include_unknown: bool = False
    """Call those, too, of whose last call nobody knows whether it rang."""


class RenameRequest(Request):
    name: Name

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, body: Any) -> Any:
        if isinstance(body, dict) and body.keys() - {"name"}:
            message = "Change the name only: all else was agreed when the batch was created."
            raise PydanticCustomError("field_locked", message)
        return body


class RowFields(Request):
    """What may be said of a recipient but for the flag, whose silence means different things."""

    phone_number: str | None = Field(
        default=None, validation_alias=AliasChoices("phone_number", "phoneNumber", "phone")
    )
    name: str | None = None
    variables: Variables = Field(
        default_factory=dict, validation_alias=AliasChoices("variables", "dynamic_vars")
    )
    not_before: str | None = None
    timezone: str | None = None
    from_number: str | None = None
    language: str | None = None
    first_message: str | None = None
    webhook_url: str | None = None


class RecipientRequest(RowFields):
    """Only its form is judged here; what it says is judged as a row of a file would be."""

    ignore_e164_validation: WrittenFlag = Field(default="", validation_alias=FLAG_NAMES)

    def settings(self) -> Iterator[tuple[str, str | None]]:
        for name in SETTINGS:
            yield name, getattr(self, name)


class RowRequest(RowFields):
    """New values for a row of a list: what is left out stays as it is, null takes it away."""

    ignore_e164_validation: WrittenFlag | None = Field(default=None, validation_alias=FLAG_NAMES)

    @model_validator(mode="after")
    def _in_unicode(self) -> Self:
        """A list that is sent is refused for this before it is read."""
        texts = self.model_dump(exclude={"variables"}).values()
        for text in (*texts, *self.variables, *self.variables.values()):
            if isinstance(text, str) and SURROGATE.search(text):
                message = "Take the halves of characters (lone surrogates) out of the texts."
                raise PydanticCustomError("field_invalid", message)
        return self
