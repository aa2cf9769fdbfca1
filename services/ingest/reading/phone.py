"""A number is dialled exactly as it is read here: in doubt it is refused, with what to do."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat
from phonenumbers.timezone import UNKNOWN_TIMEZONE
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from services.ingest.reading.recogniser import Kind, calling_code, recognise

MIN_DIGITS: Final = 7
MAX_DIGITS: Final = 32
"""More than this no carrier takes, whatever the numbering plan."""
SCIENTIFIC: Final = re.compile(r"[+-]?\d+([.,]\d*)?e[+-]?\d+", re.IGNORECASE | re.ASCII)
DIGITS: Final = re.compile(r"\+?\d+", re.ASCII)
APOSTROPHES: Final = ("'", "\u2019", "\u2018", "`")
WIDE_PLUS: Final = "\uff0b"

phonenumbers.enable_pattern_cache()  # else it compiles anew for each number of a mixed list


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    message: str


class Phone(NamedTuple):
    number: str
    kind: Kind | None = None
    """None: digits that are no valid number as they are written."""
    plus_assumed: bool = False

    @property
    def zones(self) -> tuple[str, ...]:
        """Every zone its owner may be in; empty: not known.  Looked up, at a cost, when asked."""
        return zones_of(self.number)


def read_phone(text: str) -> Phone | Problem:
    """An E.164 number; digits without a plus are read as international."""
    kind = recognise(text)
    if isinstance(kind, Kind):
        return Phone(text, kind)
    digits = _digits(text)
    if isinstance(digits, Problem):
        return digits
    known = identify("+" + digits.removeprefix("+"))
    if known is None:
        message = (
            "Write the number with + and its country code, without leading zeros, for example"
            " +12025551234; no country has the number given."
        )
        return Problem("phone_not_e164", message)
    number, kind = known
    return Phone(number, kind, plus_assumed=not digits.startswith("+"))


def take_phone(text: str) -> Phone | Problem:
    """The digits as they are, for a row that ignores E.164: valid or not, nothing is added."""
    digits = _digits(text)
    if isinstance(digits, Problem):
        return digits
    if len(digits.removeprefix("+")) > MAX_DIGITS:
        return Problem("phone_too_long", f"Give a number of at most {MAX_DIGITS} digits.")
    kind = recognise(digits)
    return Phone(digits, kind if isinstance(kind, Kind) else None)


def identify(number: str) -> tuple[str, Kind] | None:
    """`+` and digits as they are to be dialled, and of what kind that is; None: not valid."""
    kind = recognise(number)
    if kind is None or isinstance(kind, Kind):
        return (number, kind) if kind else None
    parsed = _parsed(number)
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        return None
    region = phonenumbers.region_code_for_number(parsed) or ""
    written = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    return written, Kind(region, phonenumbers.number_type(parsed))


def zones_of(number: str) -> tuple[str, ...]:
    """Every IANA zone the owner of an E.164 number may be in; empty where that is not known."""
    if not (number.startswith("+") and DIGITS.fullmatch(number)):
        return ()
    known = identify(number)
    if known is None:
        return ()
    dialled, kind = known
    code = calling_code(dialled) or 0
    geographical = phonenumbers.is_number_type_geographical(kind.type, code)
    return _zones(dialled[1 : 1 + TIMEZONE_LONGEST_PREFIX] if geographical else str(code))


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
        return Problem("phone_not_digits", _instead_of(written))
    if len(written.lstrip("+")) < MIN_DIGITS:
        message = (
            f"Give the whole number with its country code: it has at least {MIN_DIGITS} digits."
        )
        return Problem("phone_too_short", message)
    return written


def _instead_of(written: str) -> str:
    if written.startswith(APOSTROPHES) and DIGITS.fullmatch(written[1:]):
        return (
            "Take out the apostrophe in front, by which a spreadsheet keeps a number as text, for"
            " example +12025551234."
        )
    if any(not it.isascii() and (it.isdigit() or it == WIDE_PLUS) for it in written):
        return (
            "Type the number again with the plain digits 0 to 9: these are full-width or of"
            " another script, for example +12025551234."
        )
    if not written.isprintable():
        return (
            "Type the number again: a character in it cannot be seen, such as a non-breaking"
            " space or a line break, for example +12025551234."
        )
    return (
        "Use digits only, with + in front: take out spaces, dashes, dots, brackets and"
        " letters, for example +12025551234."
    )


def _parsed(number: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=65_536)
def _zones(prefix: str) -> tuple[str, ...]:
    """Of the numbers that begin so: what is known of the longest beginning of it counts."""
    lengths = range(len(prefix), 0, -1)
    known = (TIMEZONE_DATA[prefix[:it]] for it in lengths if prefix[:it] in TIMEZONE_DATA)
    return tuple(zone for zone in next(known, ()) if zone != UNKNOWN_TIMEZONE)


@cache
def _countries() -> dict[str, str]:
    """The names that the time zone data carry: those of phonenumbers take 100 MB of memory."""
    table = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {region: name for region, name, *_ in rows}
