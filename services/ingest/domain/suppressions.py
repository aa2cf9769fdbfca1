"""A suppressed number stays so until it is lifted or its time is over: no list shortens that.

Only a person who names the number does: what is put replaces the entry whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from services.ingest.domain.fields import UNWRITABLE, Moment
from services.ingest.domain.requests import Request
from services.ingest.reading.phone import Phone, read_phone

REASON_LENGTH: Final = 500
SOURCE_LENGTH: Final = 100
BY_NAME: Final = "api"
"""The source of what was put, or lifted, number by number."""


def _reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > REASON_LENGTH or UNWRITABLE.search(reason):
        message = "Give a reason of at most 500 characters, without control characters."
        raise PydanticCustomError("field_invalid", message)
    return reason


def _source(source: str) -> str:
    source = source.strip()
    if not 1 <= len(source) <= SOURCE_LENGTH or UNWRITABLE.search(source):
        message = "Name the list in 1 to 100 characters, without control characters."
        raise PydanticCustomError("field_invalid", message)
    return source


Reason = Annotated[str, AfterValidator(_reason)]
Source = Annotated[str, AfterValidator(_source)]


class SuppressionRequest(Request):
    reason: Reason | None = None
    expires_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands, or is to stand, under the digest of a number."""

    version: int
    active: bool
    source: str
    reason: str | None = None
    """Sealed under the account's key."""
    expires_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return self.active and (self.expires_at is None or self.expires_at > at)

    def says(self, other: "Entry") -> bool:
        """Whether it says the same, whatever its version."""
        content = (self.active, self.source, self.reason, self.expires_at)
        return content == (other.active, other.source, other.reason, other.expires_at)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a row of a list asks for."""

    reason: str | None
    expires_at: datetime | None


Listing: TypeAlias = Mapping[bytes, Listed]
"""By the digest of the number."""


def as_called(e164: str) -> str:
    """The number as the row of a list would have it called.

    One that no country has is taken as it is: a row that ignores E.164 may have it called.
    """
    read = read_phone(e164)
    return read.number if isinstance(read, Phone) else e164


def lasts_longer(one: datetime | None, other: datetime | None) -> bool:
    """None lasts for ever."""
    return other is not None and (one is None or one > other)


def news(listing: Listing, known: Mapping[bytes, Entry], at: datetime) -> dict[bytes, Listed]:
    """The rows that change something: whose number may be called now, or sooner than they say."""

    def changes(digest: bytes, listed: Listed) -> bool:
        entry = known.get(digest)
        return (
            entry is None
            or not entry.holds(at)
            or lasts_longer(listed.expires_at, entry.expires_at)
        )

    return {digest: listed for digest, listed in listing.items() if changes(digest, listed)}
