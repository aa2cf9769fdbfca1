"""Some rows of a list, as they were written, sealed together: nothing of a list is stored in clear.

A row is [number, line, what was written, what is wrong or None]; what was written is the cells
under the block's columns, or, once it is no row of a file, a recipient's fields.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from services.ingest.reading.columns import Column
from services.ingest.reading.rows import Given, Note, given_in

NONCE: Final = 12

Errors = Sequence[Sequence[str]]
Stored = Sequence[Any]


@dataclass(frozen=True, slots=True)
class ListRow:
    row: int
    """Counts the data rows of its file from 1."""
    line: int | None
    given: Given
    errors: tuple[Note, ...]

    @property
    def accepted(self) -> bool:
        return not self.errors


@dataclass(frozen=True, slots=True)
class Block:
    columns: tuple[Column, ...]
    rows: tuple[Stored, ...]

    def __iter__(self) -> Iterator[ListRow]:
        return (_opened(self.columns, stored) for stored in self.rows)

    def without(self, row: int) -> "Block":
        return replace(self, rows=tuple(stored for stored in self.rows if stored[0] != row))

    def with_row(self, changed: ListRow) -> "Block":
        """In the place of the row with its number."""
        new = stored(changed)
        return replace(self, rows=tuple(new if it[0] == changed.row else it for it in self.rows))


def stored(row: ListRow) -> Stored:
    given = row.given
    written = {
        "phone_number": given.phone_number,
        "name": given.name,
        "ignore_e164_validation": given.ignore_e164_validation,
        "variables": dict(given.variables),
        "settings": dict(given.settings),
    }
    return row.row, row.line, written, told(row.errors)


def told(errors: Sequence[Note]) -> Errors | None:
    return [(it.field, it.code, it.message) for it in errors] or None


def _opened(columns: Sequence[Column], stored: Stored) -> ListRow:
    row, line, written, errors = stored
    if isinstance(written, dict):
        given = Given(**written)
    else:
        width = len(columns)
        given = given_in(columns, (written + [""] * (width - len(written)))[:width])
    return ListRow(row, line, given, tuple(Note(*error) for error in errors or ()))


class ListSeal:
    """Closes and opens the blocks of one list."""

    def __init__(self, list_id: UUID, key: bytes) -> None:
        self._scope = list_id.bytes
        self._cipher = AESGCM(key)

    def close(self, columns: Sequence[Column], rows: Sequence[Stored]) -> bytes:
        text = to_json({"columns": [(it.header, it.role, it.key) for it in columns], "rows": rows})
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher.encrypt(nonce, text, self._scope)

    def open(self, sealed: bytes) -> Block:
        """Raises InvalidTag if it was tampered with."""
        text = self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], self._scope)
        fields = from_json(text)
        columns = tuple(Column(*column) for column in fields["columns"])
        return Block(columns, tuple(fields["rows"]))
