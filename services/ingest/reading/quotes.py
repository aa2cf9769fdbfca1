"""Where a row can be read no further, to the character, for a person has to find the place."""

import re
from typing import Final

from services.ingest.reading.columns import FileRefusedError
from services.ingest.reading.lines import CELL_BYTES

LINE_END: Final = re.compile(r"\r\n|\r|\n")
QUOTED: Final = re.compile(r'"((?:[^"]|"")*+)"')


def first_fault(text: str, line: int, delimiter: str) -> FileRefusedError:
    """Of a row that cannot be read: all there is from its start, which is on that line."""
    plain = re.compile(rf"[^\r\n{re.escape(delimiter)}]*")
    place = 0
    while place < len(text):
        quoted = QUOTED.match(text, place) if text[place] == '"' else None
        if text[place] == '"' and not quoted:
            return _unclosed(text, place, line)
        cell = quoted or plain.match(text, place)
        if cell is None or _is_large(cell[1].replace('""', '"') if quoted else cell[0]):
            return _too_large(text, place, line)
        place = cell.end()
        if place == len(text) or text[place] in "\r\n":
            break
        if text[place] != delimiter:
            return _after_quote(text, place, line)
        place += 1
    message = f"Write the row on line {line} again: it cannot be read."
    return FileRefusedError("csv_parse_error", message, line=line)


def _unclosed(text: str, place: int, line: int) -> FileRefusedError:
    at, column = _place(text, place, line)
    where = f"the double quote opened on line {at}, column {column}"
    if _is_large(text[place:]):
        message = f"Close {where}: as it stands, its cell is longer than 64 KB."
        return FileRefusedError("csv_field_too_large", message, line=at, column=column)
    message = f"Close {where}."
    return FileRefusedError("csv_parse_error", message, line=at, column=column)


def _after_quote(text: str, place: int, line: int) -> FileRefusedError:
    at, column = _place(text, place, line)
    message = (
        f"Check the double quotes on line {at} at column {column}: the cell has ended there. Write"
        " each quote within a cell twice."
    )
    return FileRefusedError("csv_parse_error", message, line=at, column=column)


def _too_large(text: str, place: int, line: int) -> FileRefusedError:
    at, column = _place(text, place, line)
    message = (
        f"Shorten the cell that starts on line {at}, column {column}, to 64 KB, or close its quote."
    )
    return FileRefusedError("csv_field_too_large", message, line=at, column=column)


def _place(text: str, place: int, line: int) -> tuple[int, int]:
    """The line and the column, from 1, of a place in the text."""
    ends = [end.end() for end in LINE_END.finditer(text, 0, place)]
    return line + len(ends), place - (ends[-1] if ends else 0) + 1


def _is_large(cell: str) -> bool:
    return len(cell) > CELL_BYTES or len(cell.encode()) > CELL_BYTES
