"""Ids are derived, not drawn: whoever does a thing again names it the same (UUIDv5, RFC 9562)."""

from hashlib import sha1
from uuid import UUID, uuid5

ROOT = UUID("6f0a9c1e-3b57-5d0e-8a5c-7f1f6e2d9b40")


def derive(kind: str, *parts: object) -> UUID:
    """The id of a thing from what names it; parts are length-prefixed, so no two lists collide."""
    return uuid5(ROOT, kind + "".join(f"/{len(text)}:{text}" for text in map(str, parts)))


def batch_id_of(account_id: str, idempotency_key: str) -> UUID:
    return derive("batch", account_id, idempotency_key)


def command_id_of(batch_id: UUID, command_no: int) -> UUID:
    return derive("command", batch_id, command_no)


def addition_id_of(batch_id: UUID, addition_no: int) -> UUID:
    """Addition 1 is the list the batch was created with."""
    return derive("addition", batch_id, addition_no)


def recipient_id_of(addition_id: UUID, row: int) -> UUID:
    """From the row, never from the number: the same number twice is two recipients."""
    return derive("recipient", addition_id, row)


class RecipientIds:
    """The same for many rows of one addition: what they have in common is hashed once."""

    def __init__(self, addition_id: UUID) -> None:
        place = f"recipient/36:{addition_id}/"
        self._common = sha1(ROOT.bytes + place.encode(), usedforsecurity=False)

    def of(self, row: int) -> UUID:
        own, written = self._common.copy(), str(row)
        own.update(f"{len(written)}:{written}".encode())
        return UUID(bytes=own.digest()[:16], version=5)


def chunk_id_of(addition_id: UUID, kind: str, chunk_no: int) -> UUID:
    return derive("chunk", addition_id, kind, chunk_no)


def call_id_of(batch_id: UUID, recipient_id: UUID, grant_no: int) -> UUID:
    return derive("call", batch_id, recipient_id, grant_no)


_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


class CallIds:
    """The same for many calls of one batch, as text: a UUID takes longer to make than its hash."""

    def __init__(self, batch_id: UUID) -> None:
        self._common = sha1(ROOT.bytes + f"call/36:{batch_id}/36:".encode(), usedforsecurity=False)

    def of(self, recipient_id: UUID | str, grant_no: int) -> str:
        """32 digits."""
        own, written = self._common.copy(), str(grant_no)
        own.update(f"{recipient_id}/{len(written)}:{written}".encode())
        digits = own.hexdigest()
        return f"{digits[:12]}5{digits[13:16]}{_VARIANT[digits[16]]}{digits[17:32]}"
