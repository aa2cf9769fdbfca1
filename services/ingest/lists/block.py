"""Some rows of a list, as they were written, sealed together: none of it is stored in clear."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from services.ingest.reading.columns import Column
from services.ingest.reading.rows import Given, Note, given_in

NONCE: Final = 12

Written: TypeAlias = list[str] | dict[str, Any] | None
"""The cells of a row under the columns, or the fields of a recipient; None: it was removed."""
Told: TypeAlias = list[tuple[str, str, str]]
"""Field, code and message of each error."""


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


@dataclass(slots=True)
class Block:
    """Rows that follow each other; what is said of them stands at the same place of each list."""

    columns: tuple[Column, ...]
    first_row: int = 1
    lines: list[int | None] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    errors: dict[int, Told] = field(default_factory=dict)
    """Of the places that are rejected."""

    def __iter__(self) -> Iterator[ListRow]:
        rows = (self._at(place) for place in range(len(self.written)))
        return (row for row in rows if row is not None)

    def find(self, row: int) -> ListRow | None:
        """None: it was removed."""
        return self._at(row - self.first_row)

    def put(self, row: ListRow) -> None:
        """In the place of the row with its number."""
        place = row.row - self.first_row
        self.written[place] = fields_of(row.given)
        self.errors.pop(place, None)
        if row.errors:
            self.errors[place] = told(row.errors)

    def remove(self, row: int) -> None:
        self.written[row - self.first_row] = None
        self.errors.pop(row - self.first_row, None)

    @property
    def accepted(self) -> int:
        return len(self.written) - self.written.count(None) - len(self.errors)

    def _at(self, place: int) -> ListRow | None:
        written = self.written[place]
        if written is None:
            return None
        errors = tuple(Note(*error) for error in self.errors.get(place, ()))
        given = self._given(written)
        return ListRow(self.first_row + place, self.lines[place], given, errors)

    def _given(self, written: list[str] | dict[str, Any]) -> Given:
        if isinstance(written, dict):
            return Given(**written)
        width = len(self.columns)
        return given_in(self.columns, (written + [""] * (width - len(written)))[:width])


class BlockRecord(NamedTuple):
    """A block as the store takes it, but for the upload and its number."""

    first_row: int
    last_row: int
    accepted: int
    rejected: int
    marks: str
    sealed: bytes


def fields_of(given: Given) -> dict[str, Any]:
    return {
        "phone_number": given.phone_number,
        "name": given.name,
        "ignore_e164_validation": given.ignore_e164_validation,
        "variables": dict(given.variables),
        "settings": dict(given.settings),
    }


def told(errors: Sequence[Note]) -> Told:
    return [(it.field, it.code, it.message) for it in errors]


class ListSeal:
    """Closes and opens the blocks of one list."""

    def __init__(self, list_id: UUID, key: bytes) -> None:
        self._scope = list_id.bytes
        self._cipher = AESGCM(key)

    def close(self, block: Block) -> bytes:
        columns = [(it.header, it.role, it.key) for it in block.columns]
        text = to_json((columns, block.first_row, block.lines, block.written, block.errors))
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher.encrypt(nonce, text, self._scope)

    def text(self, sealed: bytes) -> bytes:
        """A block as it was written, in JSON.  Raises InvalidTag if it was tampered with."""
        return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], self._scope)

    def open(self, sealed: bytes) -> Block:
        """Raises InvalidTag if it was tampered with."""
        return self.read(self.text(sealed))

    @staticmethod
    def read(text: bytes) -> Block:
        columns, first_row, lines, written, errors = from_json(text)
        return Block(
            tuple(Column(*column) for column in columns),
            first_row,
            lines,
            written,
            {int(place): told for place, told in errors.items()},
        )
