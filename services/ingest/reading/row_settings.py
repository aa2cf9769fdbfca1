"""What one recipient may set for their own call: what cannot be kept is refused by its name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from pydantic import HttpUrl, TypeAdapter, ValidationError

from contracts.calendar import zone_names
from contracts.instants import in_utc
from services.ingest.reading.phone import Phone, Problem, read_phone

LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
URL: Final = TypeAdapter[Any](HttpUrl)


@dataclass(frozen=True, slots=True)
class Settings:
    not_before: datetime | None = None
    timezone: str | None = None
    from_number: str | None = None
    language: str | None = None
    first_message: str | None = None
    webhook_url: str | None = None


UNSET: Final = Settings()


def read_settings(given: Mapping[str, str]) -> tuple[Settings, list[tuple[str, Problem]]]:
    """The settings that hold, and a problem for each that does not; a blank one is not set."""
    if not given:
        return UNSET, []
    values, problems = dict[str, Any](), list[tuple[str, Problem]]()
    for name, text in given.items():
        if not text.strip():
            continue
        value = READERS[name](text.strip())
        if isinstance(value, Problem):
            problems.append((name, value))
        else:
            values[name] = value
    return Settings(**values), problems


def _not_before(text: str) -> datetime | Problem:
    message = "Write the instant with its offset, for example 2027-01-31T09:00:00+01:00."
    try:
        instant = datetime.fromisoformat(text)
        return in_utc(instant) if instant.tzinfo else Problem("not_before_invalid", message)
    except ValueError:
        return Problem("not_before_invalid", message)


def _timezone(text: str) -> str | Problem:
    if text in zone_names():
        return text
    message = "Name the time zone as IANA does, for example Europe/Paris."
    return Problem("timezone_unknown", message)


@lru_cache(maxsize=1_024)
def _from_number(text: str) -> str | Problem:
    match read_phone(text):
        case Phone(number=number):
            return number
        case Problem(message=message):
            return Problem("from_number_invalid", message)


def _language(text: str) -> str | Problem:
    if LANGUAGE.fullmatch(text):
        return text
    return Problem("language_invalid", "Give a language tag, for example en or pt-BR.")


def _first_message(text: str) -> str | Problem:
    if "\0" in text:
        return Problem("first_message_invalid", "Take the NUL characters out of the message.")
    return text


def _webhook_url(text: str) -> str | Problem:
    message = "Give a whole address, for example https://example.com/calls."
    try:
        URL.validate_python(text)
    except ValidationError:
        return Problem("webhook_url_invalid", message)
    # the parser passes over control characters, and we keep the text as it was given
    return text if text.isprintable() else Problem("webhook_url_invalid", message)


READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "not_before": _not_before,
    "timezone": _timezone,
    "from_number": _from_number,
    "language": _language,
    "first_message": _first_message,
    "webhook_url": _webhook_url,
}
