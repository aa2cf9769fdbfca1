"""Each field of a request has a form and a bound: without one, a body becomes an event too large.

Custom error types are the codes people see.
"""

import json
import re
from typing import Annotated, Any, Final

import regex
from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from contracts.batches import MOST_ATTEMPTS
from contracts.instants import Instant
from contracts.outcomes import Outcome
from services.ingest.reading.columns import MAX_COLUMNS

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
AGENT_ID: Final = r"^[A-Za-z0-9._:~-]{1,100}$"
UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and halves of a pair, which have no form in UTF-8."""
SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
CHARACTER: Final = regex.compile(r"\X")
"""What people see as one: an extended grapheme cluster (UAX #29)."""
NAME_LENGTH: Final = 100
NAME_POINTS: Final = 1_000
"""Code points: one character may be stacked without end."""
THIRTY_DAYS: Final = 30 * 24 * 3600
RETRYABLE: Final = frozenset(
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
    fits = len(name) <= NAME_POINTS and 1 <= len(CHARACTER.findall(name)) <= NAME_LENGTH
    if not fits:
        raise PydanticCustomError("name_length", "Give a name of 1 to 100 characters.")
    if UNWRITABLE.search(name):
        message = "Take control characters (NUL, line breaks) and lone surrogates out of the name."
        raise PydanticCustomError("field_invalid", message)
    return name


def _phone_number(number: str) -> str:
    if not E164.fullmatch(number):
        message = "Write the number in E.164, for example +12025550123."
        raise PydanticCustomError("phone_not_e164", message)
    return number


def _agent_id(agent_id: str) -> str:
    if not re.fullmatch(AGENT_ID, agent_id):
        message = "Register the agent first, or name another: no agent can have this id."
        raise PydanticCustomError("agent_not_found", message)
    return agent_id


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


def _each_once(regions: list[str]) -> list[str]:
    return list(dict.fromkeys(regions))


def _retryable(outcome: Outcome) -> Outcome:
    if outcome not in RETRYABLE:
        message = f"Retry only on: {', '.join(sorted(RETRYABLE))}."
        raise PydanticCustomError("field_invalid", message)
    return outcome


def _outcomes_once(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    return tuple(dict.fromkeys(outcomes))


def _as_texts(variables: dict[str, Any]) -> dict[str, str]:
    """A prompt knows text only; what is not text is written as JSON."""
    return {name: _as_text(value) for name, value in variables.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, str) or value is None:
        return value or ""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        message = "Write a number that is not too large for JSON, or write it as text."
        raise PydanticCustomError("field_invalid", message) from None


def _flag(flag: Any) -> Any:
    """What it says is judged with the row; here only that it can be a flag at all."""
    if flag is None or isinstance(flag, bool | str):
        return flag
    if isinstance(flag, int) and flag in {0, 1}:
        return bool(flag)
    message = "Write true or false (or yes, no, 1, 0), or leave it blank, which is false."
    raise PydanticCustomError("ignore_flag_invalid", message)


WrittenFlag = Annotated[bool | str, BeforeValidator(_flag)]
Name = Annotated[str, AfterValidator(_name)]
PhoneNumber = Annotated[str, AfterValidator(_phone_number)]
Moment = Annotated[Instant, Field(strict=False), BeforeValidator(_instant)]
AgentId = Annotated[str, StringConstraints(pattern=AGENT_ID)]
NamedAgent = Annotated[
    str, AfterValidator(_agent_id), Field(json_schema_extra={"pattern": AGENT_ID})
]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2000)]
Regions = Annotated[
    list[Annotated[str, AfterValidator(_region)]],
    Field(max_length=len(SUPPORTED_REGIONS)),
    AfterValidator(_each_once),
]
Delays = Annotated[
    tuple[Annotated[int, Field(ge=0, le=THIRTY_DAYS)], ...], Field(max_length=MOST_ATTEMPTS)
]
Retryable = Annotated[
    tuple[Annotated[Outcome, AfterValidator(_retryable)], ...],
    Field(
        max_length=len(RETRYABLE),
        json_schema_extra={"items": {"type": "string", "enum": sorted(RETRYABLE)}},
    ),
    AfterValidator(_outcomes_once),
]
Variables = Annotated[dict[str, Any], Field(max_length=MAX_COLUMNS), AfterValidator(_as_texts)]
