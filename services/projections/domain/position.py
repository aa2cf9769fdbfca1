"""What a read waits for: a batch's command or verdict, or a directory entry's version."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class BatchPosition:
    batch_id: UUID
    command_no: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class EntryPosition:
    kind: str
    entry_id: str
    version: int


Position: TypeAlias = BatchPosition | EntryPosition


def read_position(opaque: str) -> Position:
    """Raises ValueError for what no command ever answered with."""
    text = urlsafe_b64decode(opaque.encode()).decode()
    if "\0" in text:
        raise ValueError("no name has that")
    match text.split(":"):
        case ["batch", batch_id, "command", number]:
            return BatchPosition(UUID(batch_id), command_no=_number(number))
        case ["batch", batch_id, "sequence", number]:
            return BatchPosition(UUID(batch_id), sequence=_number(number))
        case ["directory", ("account" | "agent" | "number" | "suppression") as kind, *name, number]:
            return EntryPosition(kind, ":".join(name), _number(number))
        case _:
            raise ValueError("not a position")


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _MOST:
        raise ValueError("not a number of ours")
    return number
