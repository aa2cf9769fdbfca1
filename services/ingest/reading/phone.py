"""A number is dialled exactly as it is read here: in doubt it is refused, with what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import (
    UNKNOWN_TIMEZONE,
    time_zones_for_geographical_number,
    time_zones_for_number,
)

MIN_DIGITS: Final = 7
MAX_DIGITS: Final = 32
"""More than this no carrier takes, whatever the numbering plan."""
SCIENTIFIC: Final = re.compile(r"[+-]?\d+([.,]\d*)?e[+-]?\d+", re.IGNORECASE | re.ASCII)
DIGITS: Final = re.compile(r"\+?\d+", re.ASCII)

_ZONES_OF_COUNTRY: Final = dict[int, tuple[str, ...]]()
"""Of numbers that belong to no place in it, by country code: all of them have the same."""


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Phone:
    number: str
    zones: tuple[str, ...]
    """Every zone its owner may be in; empty: not known."""
    plus_assumed: bool = False


def read_phone(text: str) -> Phone | Problem:
    """An E.164 number; digits without a plus are read as international."""
    digits = _digits(text)
    if isinstance(digits, Problem):
        return digits
    parsed = _parsed(digits)
    kind = phonenumbers.number_type(parsed) if parsed else PhoneNumberType.UNKNOWN
    if not parsed or kind == PhoneNumberType.UNKNOWN:
        message = (
            "Write the number with + and its country code, without leading zeros, for example"
            " +12025551234; no country has the number given."
        )
        return Problem("phone_not_e164", message)
    # destinations that are never called are to be refused here, where the number is parsed
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(number, _zones(parsed, kind), plus_assumed=not digits.startswith("+"))


def take_phone(text: str) -> Phone | Problem:
    """The digits as they are, for a row that ignores E.164: valid or not, nothing is added."""
    digits = _digits(text)
    if isinstance(digits, Problem):
        return digits
    if len(digits.removeprefix("+")) > MAX_DIGITS:
        return Problem("phone_too_long", f"Give a number of at most {MAX_DIGITS} digits.")
    parsed = _parsed(digits) if digits.startswith("+") else None
    if not parsed:
        return Phone(digits, zones=())
    return Phone(digits, _zones(parsed, phonenumbers.number_type(parsed)))


def zones_of(number: str) -> tuple[str, ...]:
    """Every IANA zone the owner of an E.164 number may be in; empty where that is not known."""
    parsed = _parsed(number)
    return _zones(parsed, phonenumbers.number_type(parsed)) if parsed else ()


def region_of(number: str) -> str | None:
    """The ISO 3166 country of an E.164 number, `001` for numbers of no country."""
    parsed = _parsed(number)
    return phonenumbers.region_code_for_number(parsed) if parsed else None


def country_name(region: str) -> str:
    return _countries().get(region, "an international service")


def _digits(text: str) -> str | Problem:
    written = text.strip()
    if not written:
        return Problem("phone_missing", "Give a phone number, for example +12025551234.")
    if SCIENTIFIC.fullmatch(written):
        message = (
            "A spreadsheet has rounded the number and its digits are lost: format the column"
            " as text, enter the number again and export the file again."
        )
        return Problem("phone_scientific_notation", message)
    if not DIGITS.fullmatch(written):
        message = (
            "Use digits only, with + in front: take out spaces, dashes, dots, brackets and"
            " letters, for example +12025551234."
        )
        return Problem("phone_not_digits", message)
    if len(written.lstrip("+")) < MIN_DIGITS:
        message = (
            f"Give the whole number with its country code: it has at least {MIN_DIGITS} digits."
        )
        return Problem("phone_too_short", message)
    return written


def _parsed(digits: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse("+" + digits.removeprefix("+"))
    except phonenumbers.NumberParseException:
        return None


def _zones(parsed: phonenumbers.PhoneNumber, kind: int) -> tuple[str, ...]:
    """`kind` is its number_type: to find it out is half of the cost of reading a number."""
    country = parsed.country_code or 0
    if kind == PhoneNumberType.UNKNOWN:
        return ()
    if phonenumbers.is_number_type_geographical(kind, country):
        return _known(time_zones_for_geographical_number(parsed))
    if country not in _ZONES_OF_COUNTRY:
        _ZONES_OF_COUNTRY[country] = _known(time_zones_for_number(parsed))
    return _ZONES_OF_COUNTRY[country]


def _known(zones: Iterable[str]) -> tuple[str, ...]:
    return tuple(zone for zone in zones if zone != UNKNOWN_TIMEZONE)


@cache
def _countries() -> dict[str, str]:
    """The names that the time zone data carry: those of phonenumbers take 100 MB of memory."""
    table = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {region: name for region, name, *_ in rows}
