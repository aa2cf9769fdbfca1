"""Every line of a file as it was written, or the first thing that is no text: memory stays flat.

The lines before a fault are handed out first: a file has the same one in whatever blocks it comes.
"""

import re
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain
from typing import BinaryIO, Final

from services.ingest.reading.columns import FileRefusedError

CELL_BYTES: Final = 64 * 1024
LINE_BYTES: Final = 8 * 1024 * 1024
READ_BYTES: Final = 32 * 1024
SIGNATURE_BYTES: Final = 4
COMPRESSED: Final = (
    (b"\x1f\x8b", "a gzip file: unpack it"),
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or a ZIP archive: export the sheet as CSV UTF-8"),
    (b"PK\x05\x06", "an empty ZIP archive: export the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls): export the sheet as CSV UTF-8"),
)
OTHER_ENCODINGS: Final = (
    ("UTF-32", re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|([^\0]\0\0\0|\0\0\0[^\0])", re.DOTALL)),
    ("UTF-16", re.compile(rb"\xff\xfe|\xfe\xff|([^\0]\0[^\0]\0|\0[^\0]\0[^\0])", re.DOTALL)),
)

Fault = tuple[str, str]
"""Its code, and its message with a place in it for the line."""


class Lines:
    """From where the file stands, each with its end; line ends within quotes are ends as well."""

    def __init__(self, file: BinaryIO, read_bytes: int = READ_BYTES) -> None:
        self._file = file
        self._read_bytes = read_bytes
        self._lines = chain.from_iterable(self._texts())
        self.large = False
        """Whether a line about here may be longer than a cell may be: no other need be measured."""
        self.held = 0
        """Bytes handed out since it was last set to 0, as is to be done where a row has ended."""

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def _texts(self) -> Iterator[Iterable[str]]:
        offset, line = 0, 1
        for piece in self._pieces():
            self.large = len(piece) > CELL_BYTES
            if self.held > LINE_BYTES:
                message = f"Close a double quote above line {line}: the row before is too long."
                raise FileRefusedError("csv_field_too_large", message, line=line)
            self.held += len(piece)
            text, fault = _checked(piece, offset)
            # no str.splitlines: it would also break a line where a cell holds a form feed
            yield StringIO(text if offset else text.removeprefix("\ufeff"), newline="")
            line += text.count("\n") + text.count("\r") - text.count("\r\n")
            if fault:
                code, message = fault
                raise FileRefusedError(code, message.format(line), line=line)
            offset += len(piece)

    def _pieces(self) -> Iterator[bytes]:
        """Whole lines, or the rest of the file."""
        block = self._file.read(self._read_bytes)
        while 0 < len(block) < SIGNATURE_BYTES and (more := self._file.read(self._read_bytes)):
            block += more
        _refuse_other_kinds(block)
        begun, length = list[bytes](), 0
        while block:
            end = _end_of_lines(block)
            if end:
                yield b"".join((*begun, block[:end]))
                begun, length = [], 0
            begun.append(block[end:])
            length += len(block) - end
            if length > LINE_BYTES:
                break
            block = self._file.read(self._read_bytes)
        yield b"".join(begun)


def _end_of_lines(block: bytes) -> int:
    """Where its last whole line ends; a carriage return at the very end may be half of an end."""
    return max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1


def _checked(piece: bytes, offset: int) -> tuple[str, Fault | None]:
    """The lines before the first fault, and the fault."""
    if len(piece) > LINE_BYTES:
        return "", ("csv_field_too_large", "Break up line {}: it is longer than a row may be.")
    fault, end = None, len(piece)
    try:
        text = piece.decode()
    except UnicodeDecodeError as error:
        end = error.start
        message = (
            "Save the file as UTF-8 (in Excel: CSV UTF-8): the byte at offset"
            f" {offset + end} (counted from 0), on line {{}}, is not."
        )
        fault = ("csv_bad_encoding", message)
    nul = piece.find(b"\0", 0, end)
    if nul >= 0:
        end, message = nul, "Save the file as text: line {} holds a NUL byte."
        fault = ("csv_nul_byte", message)
    if fault:
        text = piece[: max(piece.rfind(b"\n", 0, end), piece.rfind(b"\r", 0, end)) + 1].decode()
    return text, fault


def _refuse_other_kinds(start: bytes) -> None:
    for signature, kind in COMPRESSED:
        if start.startswith(signature):
            raise FileRefusedError("csv_compressed", f"This is {kind} and send that file.")
    for encoding, pattern in OTHER_ENCODINGS:
        if found := pattern.match(start):
            offset = found[0].index(b"\0") if found[1] else 0
            message = (
                f"The file is {encoding}; save it as UTF-8 (in Excel: CSV UTF-8). The byte at"
                f" offset {offset} (counted from 0) shows it."
            )
            raise FileRefusedError("csv_bad_encoding", message, line=1)
