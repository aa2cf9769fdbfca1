"""A header that is misread puts a stranger's number in somebody's row: what each column means."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.ingest.reading.guesses import LOOKS, likeliest

MAX_COLUMNS: Final = 1_000
PROBLEM: Final = "rollcall_problem"
"""What was wrong with each row, in the last column of a file handed back to be mended."""
VARIABLE_PREFIXES: Final = ("request_data.", "dynamic_vars.")
SETTINGS: Final = (
    "not_before",
    "timezone",
    "from_number",
    "language",
    "first_message",
    "webhook_url",
)
WORDS: Final = (
    "phone_number, name, ignore_e164_validation, variable, variable:other_name,"
    f" {', '.join(f'setting:{name}' for name in SETTINGS)}, ignored"
)
MOST_SHOWN: Final = 10
SHOWN_LENGTH: Final = 60

Role = Literal["phone_number", "name", "ignore_e164_validation", "variable", "setting", "ignored"]
PLAIN: Final[dict[str, Role]] = {
    "phone_number": "phone_number",
    "name": "name",
    "ignore_e164_validation": "ignore_e164_validation",
    "ignored": "ignored",
}
STANDARD: Final[dict[str, Role]] = {
    "phonenumber": "phone_number",
    "phone": "phone_number",
    "name": "name",
    "ignoree164validation": "ignore_e164_validation",
    "rollcallproblem": "ignored",
}


class FileRefusedError(Exception):
    """The file as a whole cannot be read; nothing of it is kept."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        field: str = "file",
    ) -> None:
        super().__init__(code, message)  # as it is built again where another process raised it
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.field = field

    def __str__(self) -> str:
        return self.message


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


def columns_of(
    header: Sequence[str], mapping: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """What each column is: what the mapping says of it, else what its name says.

    Where the mapping makes another column the phone number, the name or the flag, the one that
    would be it by its name is a variable.
    """
    names = [name.strip() for name in header]
    # what we added to a file that is handed back is not the sender's
    count = len(names) - (bool(names) and names[-1] == PROBLEM)
    if count > MAX_COLUMNS:
        message = f"Keep to {MAX_COLUMNS:,} columns; this file has {count:,}."
        raise FileRefusedError("csv_too_many_columns", message)
    columns = _meant(names, _said(names, mapping or {}))
    _refuse_duplicates(columns)
    if not any(column.role == "phone_number" for column in columns):
        raise FileRefusedError("csv_no_phone_column", _no_phone(columns))
    return columns


def suggestion(header: Sequence[str], columns: Sequence[Column] | None = None) -> dict[str, str]:
    """A whole mapping to send back: every header, by its looks where its name alone says nothing.

    `columns` is what they are taken for so far, by default what their names say.
    """
    columns = columns or _meant([name.strip() for name in header], {})
    words = {column.header: column.word for column in columns}
    free = [column.header for column in columns if column.role == "variable"]
    for word in LOOKS:
        likely = None if word in words.values() else likeliest(word, free)
        if likely is not None:
            words[likely] = word
            free.remove(likely)
    return words


def is_phone_column(header: str) -> bool:
    return column_named(header.strip()).role == "phone_number"


def known_of(header: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """Of what is known of headers, what is said of these: a mapping."""
    words = {_alike(name): word for name, word in known.items()}
    there = {_alike(name): name.strip() for name in header}
    return {name: words[alike] for alike, name in there.items() if alike in words}


def _said(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, Column]:
    """What the mapping says, under the headers as they are compared."""
    there = {_alike(name): name for name in names}
    said = dict[str, Column]()
    for name, word in mapping.items():
        if _alike(name) not in there:
            raise _unmapped(f"No column is called {_shown(name)}; there are {_list(names)}.")
        if _alike(name) in said:
            raise _unmapped(f"The column {_shown(name)} is named twice; name it once.")
        said[_alike(name)] = _by_word(there[_alike(name)], word)
    return said


def _meant(names: Sequence[str], said: Mapping[str, Column]) -> tuple[Column, ...]:
    taken = {column.role for column in said.values()} & {*PLAIN} - {"ignored"}
    columns = list[Column]()
    for name in names:
        column = said.get(_alike(name)) or column_named(name)
        if column.role in taken and _alike(name) not in said:
            column = Column(name, "variable", name)
        columns.append(column)
    return tuple(columns)


def column_named(header: str) -> Column:
    """What it is by its name alone."""
    role = STANDARD.get(re.sub(r"[\s_-]", "", header).casefold())
    if role:
        return Column(header, role)
    key = _key(header)
    # a column without a name, as a trailing comma leaves it, is nothing a prompt could mention
    return Column(header, "variable", key) if key else Column(header, "ignored")


def _by_word(header: str, word: str) -> Column:
    role, colon, key = (part.strip() for part in word.partition(":"))
    if role in PLAIN and not colon:
        return Column(header, PLAIN[role])
    if role == "setting" and key in SETTINGS:
        return Column(header, "setting", key)
    key = key if colon else _key(header)
    if role == "variable" and key and not (colon and "\0" in key):
        return Column(header, "variable", key)
    raise _unmapped(f"The role {_shown(word)} of {_shown(header)} is none; there are {WORDS}.")


def _key(header: str) -> str:
    prefix = next((p for p in VARIABLE_PREFIXES if header.casefold().startswith(p)), "")
    return header[len(prefix) :].strip()


def _no_phone(columns: Sequence[Column]) -> str:
    likely = likeliest("phone_number", [it.header for it in columns if it.role == "variable"])
    if likely is None:
        return "Name one column phone_number: the first line of the file is its header."
    pair = f'{{"columns": {{"{likely[:SHOWN_LENGTH]}": "phone_number"}}}}'
    return (
        f"No column is called phone_number. If {_shown(likely)} holds the numbers, call it that,"
        f" or send with the file the mapping {pair}."
    )


def _refuse_duplicates(columns: Sequence[Column]) -> None:
    named = [column for column in columns if column.role != "ignored"]
    times = Counter(_sameness(column) for column in named)
    twice = [_shown(column.header) for column in named if times[_sameness(column)] > 1]
    if twice:
        message = f"Keep one of the columns that mean the same: {', '.join(twice[:MOST_SHOWN])}."
        raise FileRefusedError("csv_duplicate_column", message)


def _unmapped(message: str) -> FileRefusedError:
    return FileRefusedError("mapping_invalid", message, field="mapping")


def _sameness(column: Column) -> tuple[str, str]:
    return column.role, _alike(column.key)


def _alike(name: str) -> str:
    """A name as it is compared: case, spaces, dashes and underscores make no difference."""
    return re.sub(r"[\s_-]+", "_", name.strip()).casefold()


def _list(names: Sequence[str]) -> str:
    more = " and others" if len(names) > MOST_SHOWN else ""
    return ", ".join(map(_shown, names[:MOST_SHOWN])) + more


def _shown(name: str) -> str:
    return f"“{name[:SHOWN_LENGTH]}”"
