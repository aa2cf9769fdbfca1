"""Who is called, and on which number, is settled here: a row passes whole or is refused whole.

All that is wrong with a row is said at once, a field at a time, and each message says what to do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic_core import to_json

from services.ingest.reading.columns import Column
from services.ingest.reading.destinations import emergency, refusals
from services.ingest.reading.phone import (
    Phone,
    Problem,
    country_name,
    read_phone,
    take_phone,
    zones_of,
)
from services.ingest.reading.policy import Policy
from services.ingest.reading.row_settings import Settings, read_settings

FLAG: Final = {
    "true": True,
    "yes": True,
    "1": True,
    "false": False,
    "no": False,
    "0": False,
    "": False,
}
UNWRITTEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters but for the tab and the line break, which a quoted cell may well hold."""

MOST_BYTES: Final = 185_000
"""Of a row's texts in JSON: sealed, with all the rest, they fit into what the log takes of it."""
SURELY_FITS: Final = MOST_BYTES // 6
"""Characters: none takes more bytes of JSON, so that few rows need to be written to be measured."""
ROW_TOO_LARGE: Final = Problem(
    "row_too_large", "Shorten this row: with all its variables it may hold 180 KB."
)

Flag = str | bool


@dataclass(frozen=True, slots=True)
class Given:
    """A recipient as written by a person, in a file or in JSON."""

    phone_number: str = ""
    name: str = ""
    ignore_e164_validation: Flag = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """An error or a warning about one field."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckedRow:
    row: int
    line: int | None
    """The line of the file; None for a recipient of a JSON body."""
    phone_number: str
    """As it will be dialled; as it was written while it is wrong."""
    name: str | None
    ignore_e164_validation: bool | None
    """None where what was written is not a flag."""
    variables: Mapping[str, str]
    settings: Settings
    errors: tuple[Note, ...]
    warnings: tuple[Note, ...]

    @property
    def accepted(self) -> bool:
        return not self.errors

    @property
    def zones(self) -> tuple[str, ...]:
        """The zone the row names, else those of its number; empty: not known."""
        if self.settings.timezone:
            return (self.settings.timezone,)
        return zones_of(self.phone_number)


def given_in(columns: Sequence[Column], cells: Sequence[str]) -> Given:
    """The cells of a CSV row, each under what its column means."""
    standard, variables, settings = dict[str, str](), dict[str, str](), dict[str, str]()
    for column, cell in zip(columns, cells, strict=True):
        if column.role == "variable":
            variables[column.key] = cell
        elif column.role == "setting":
            settings[column.key] = cell
        elif column.role != "ignored":
            standard[column.role] = cell
    return Given(**standard, variables=variables, settings=settings)


def check_row(row: int, line: int | None, given: Given, policy: Policy) -> CheckedRow:
    ignore = read_flag(given.ignore_e164_validation)
    phone = take_phone(given.phone_number) if ignore is True else read_phone(given.phone_number)
    settings, wrong_settings = read_settings(given.settings)
    wrong = [
        *[("phone_number", it) for it in _of_phone(phone, given.phone_number, policy)],
        ("name", _of_name(given.name)),
        ("ignore_e164_validation", ignore),
        ("variables", _of_variables(given.variables)),
        ("variables", _of_size(given)),
        *wrong_settings,
        ("from_number", _of_caller_id(settings.from_number, policy)),
    ]
    known = phone if isinstance(phone, Phone) else Phone(given.phone_number)
    return CheckedRow(
        row,
        line,
        phone_number=known.number,
        name=given.name.strip() or None,
        ignore_e164_validation=None if isinstance(ignore, Problem) else ignore,
        variables=given.variables,
        settings=settings,
        errors=tuple(
            [Note(name, it.code, it.message) for name, it in wrong if isinstance(it, Problem)]
        ),
        warnings=_warnings(known) if known.plus_assumed else (),
    )


def read_flag(written: Flag) -> bool | Problem:
    if isinstance(written, bool):
        return written
    flag = FLAG.get(written)
    if flag is None:
        flag = FLAG.get(written.strip().casefold())
    if flag is None:
        message = "Write true or false (or yes, no, 1, 0), or leave it blank, which is false."
        return Problem("ignore_flag_invalid", message)
    return flag


def _of_phone(phone: Phone | Problem, written: str, policy: Policy) -> Sequence[Problem]:
    if isinstance(phone, Phone):
        return refusals(phone, policy)
    if phone.code == "phone_too_short" and (call_for_help := emergency(written)):
        return (call_for_help,)
    return (phone,)


def _of_caller_id(number: str | None, policy: Policy) -> Problem | None:
    if number is None or policy.caller_ids is None or number in policy.caller_ids:
        return None
    message = "Name one of the account's numbers that may place calls."
    return Problem("from_number_invalid", message)


def _of_name(name: str) -> Problem | None:
    if name.isprintable() or not UNWRITTEN.search(name):
        return None
    return Problem("name_invalid", "Take the control characters, such as NUL, out of the name.")


def _of_variables(variables: Mapping[str, str]) -> Problem | None:
    """No database keeps a NUL; a file that holds one is refused whole."""
    for key, text in variables.items():
        if "\0" in text or "\0" in key:
            return Problem("variable_invalid", "Take the NUL characters out of the variables.")
    return None


def _of_size(given: Given) -> Problem | None:
    characters = len(given.name) + sum(map(len, given.variables))
    for texts in (given.variables, given.settings):
        characters += sum(map(len, texts.values()))
    if characters <= SURELY_FITS:
        return None
    size = len(to_json((given.name, given.variables, given.settings)))
    return ROW_TOO_LARGE if size > MOST_BYTES else None


def _warnings(phone: Phone) -> tuple[Note, ...]:
    region = phone.kind.region if phone.kind else ""
    message = (
        f"The + was missing: read as {phone.number}, a number of {country_name(region)}"
        f" ({region}). Write the + to be sure."
    )
    return (Note("phone_number", "plus_assumed", message),)
