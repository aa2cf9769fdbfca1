"""Rows as a list answers them, in a file to be mended: each value comes back to where it was.

What columns there are is known only after the last row, so the rows wait on the disk until then.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final, TextIO

from cli.fixing import FixFile
from services.ingest.reading.columns import (
    SETTINGS,
    VARIABLE_PREFIXES,
    Column,
    column_named,
    known_of,
)

Json = dict[str, Any]
CUT_OFF: Final = "too_many_cells"


@contextmanager
def fix_rows() -> Iterator["FixRows"]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        yield FixRows(waiting)


class FixRows:
    def __init__(self, waiting: IO[str]) -> None:
        self._waiting = waiting
        self._columns = {"phone_number": Column("phone_number", "phone_number")}
        self.rows = 0

    def add(self, row: Json) -> None:
        """With `errors`, and with `line` if it has one."""
        for column in _columns_of(row):
            self._columns.setdefault(column.header, column)
        self._waiting.write(json.dumps(row) + "\n")
        self.rows += 1

    def write(self, file: TextIO) -> None:
        columns = list(self._columns.values())
        fixing = FixFile(file, [it.header for it in columns], ",")
        self._waiting.seek(0)
        for line in self._waiting:
            row = json.loads(line)
            cells = [_cell(row, column) for column in columns]
            fixing.add([*cells, *_cut_off(row)], [it["message"] for it in row["errors"]])

    def mapping(self, known: Mapping[str, str]) -> dict[str, str]:
        """What is to be sent with the file; `known`: what the list's columns are by now."""
        words = known_of(list(self._columns), known)
        return {
            it.header: it.word
            for it in self._columns.values()
            if column_named(it.header) != it or words.get(it.header, it.word) != it.word
        }


def _columns_of(row: Json) -> Iterator[Column]:
    if row.get("name"):
        yield Column("name", "name")
    if row.get("ignore_e164_validation"):
        yield Column("ignore_e164_validation", "ignore_e164_validation")
    for key in row["variables"]:
        plain = column_named(key) == Column(key, "variable", key)
        yield Column(key if plain else VARIABLE_PREFIXES[0] + key, "variable", key)
    for name in SETTINGS:
        if row.get(name):
            yield Column(name, "setting", name)


def _cell(row: Json, column: Column) -> str:
    if column.role == "variable":
        return str(row["variables"].get(column.key, ""))
    value = row.get(column.key or column.role)
    if isinstance(value, bool):
        return "true" if value else ""
    return str(value or "")


def _cut_off(row: Json) -> Sequence[str]:
    """A list keeps no more cells than it has columns: without this the row would seem mended."""
    if any(error["code"] == CUT_OFF for error in row["errors"]):
        return [f"more cells are in line {row['line']} of the file"]
    return ()
