"""What a caller may ask of the network: nothing that is not spelled out here is let in."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

# Numbers that are not E.164 may be dialled too: whoever asks for it has said so.
Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{2,32}$")]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=128)]


def _somewhere(address: str) -> str:
    """A callback to an address that is none would only fail once the call rings."""
    try:
        parts = urlsplit(address)
        told = bool(parts.hostname) and parts.port != 0  # an impossible port raises
    except ValueError:
        told = False
    if not told:
        raise ValueError("no web address; give one such as http://127.0.0.1:8002/callbacks")
    return address


WebAddress = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s/]+", max_length=2048),
    AfterValidator(_somewhere),
]


def _plus(number: object) -> object:
    """A plus that was not percent-encoded in a query arrives as a space."""
    return f"+{number[1:]}" if isinstance(number, str) and number.startswith(" ") else number


class CallRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    call_id: CallId
    to: Number
    from_number: Annotated[Number, Field(alias="from")]
    agent_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    callback_url: WebAddress
    variables: dict[str, JsonValue] = {}
    max_duration: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class CallQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    call_id: CallId | None = None
    to: Annotated[Number, BeforeValidator(_plus)] | None = None
    from_number: Annotated[Number | None, BeforeValidator(_plus), Field(alias="from")] = None
    since: AwareDatetime | None = None


class LedgerQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[int, Field(ge=0)] = 0


def reason(error: ValidationError) -> str:
    """Which field and why, never the value: it may be a person's number."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    )
