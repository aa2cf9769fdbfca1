"""A header that is misread puts a stranger's number in somebody's row: what each column means."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

MAX_COLUMNS: Final = 1_000
VARIABLE_PREFIXES: Final = ("request_data.", "dynamic_vars.")

Role = Literal["phone_number", "name", "ignore_e164_validation", "variable", "setting", "ignored"]
STANDARD: Final[dict[str, Role]] = {
    "phonenumber": "phone_number",
    "phone": "phone_number",
    "name": "name",
    "ignoree164validation": "ignore_e164_validation",
}


class FileRefusedError(Exception):
    """The file as a whole cannot be read; nothing of it is kept."""

    def __init__(self, code: str, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Column:
    header: str
    role: Role
    key: str = ""
    """The name of the variable or of the setting."""

    @property
    def word(self) -> str:
        """The role as the API writes it."""
        if self.role == "setting" or (self.role == "variable" and self.key != self.header):
            return f"{self.role}:{self.key}"
        return self.role


def columns_of(header: Sequence[str]) -> tuple[Column, ...]:
    """What each column is by its name, where nobody has said otherwise."""
    if len(header) > MAX_COLUMNS:
        message = f"Keep to {MAX_COLUMNS:,} columns; this file has {len(header):,}."
        raise FileRefusedError("csv_too_many_columns", message)
    columns = tuple(_column(name.strip()) for name in header)
    _refuse_duplicates(columns)
    if not any(column.role == "phone_number" for column in columns):
        message = "Name one column phone_number: the first line of the file is its header."
        raise FileRefusedError("csv_no_phone_column", message)
    return columns


def is_phone_column(header: str) -> bool:
    return _column(header.strip()).role == "phone_number"


def _column(header: str) -> Column:
    role = STANDARD.get(re.sub(r"[\s_-]", "", header).casefold())
    if role:
        return Column(header, role)
    prefix = next((p for p in VARIABLE_PREFIXES if header.casefold().startswith(p)), "")
    key = header[len(prefix) :].strip()
    # a column without a name, as a trailing comma leaves it, is nothing a prompt could mention
    return Column(header, "variable", key) if key else Column(header, "ignored")


def _refuse_duplicates(columns: Sequence[Column]) -> None:
    named = [column for column in columns if column.role != "ignored"]
    times = Counter(_sameness(column) for column in named)
    twice = [f"“{column.header}”" for column in named if times[_sameness(column)] > 1]
    if twice:
        message = f"Keep one of the columns that mean the same: {', '.join(twice[:10])}."
        raise FileRefusedError("csv_duplicate_column", message)


def _sameness(column: Column) -> tuple[str, str]:
    return column.role, re.sub(r"[\s_-]+", "_", column.key).casefold()
