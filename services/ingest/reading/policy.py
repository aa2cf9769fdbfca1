"""What an account may call: the same for a row of a file, of a body and of a list, whoever checks.

Small and plain, for the checking is done in other processes.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts.sealed import digest_of

DIGEST_BYTES = 8
"""Of a digest, to be held for each of a million numbers: two differ by more than that."""


def short(digest: str) -> int:
    """The first bytes of a digest (hex) as the number that stands for it here."""
    return int.from_bytes(bytes.fromhex(digest[: 2 * DIGEST_BYTES]), signed=True)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The numbers that are never to be called, as digests under the account's pepper."""

    pepper: bytes = b""
    digests: "array[int]" = field(default_factory=lambda: array("q"))
    """Sorted."""

    @classmethod
    def of(cls, pepper: bytes, digests: Iterable[str]) -> "Suppressed":
        return cls(pepper, array("q", sorted(map(short, digests))))

    def __bool__(self) -> bool:
        return bool(self.digests)

    def __contains__(self, number: str) -> bool:
        if not self.digests:
            return False
        wanted = short(digest_of(self.pepper, number))
        place = bisect_left(self.digests, wanted)
        return place < len(self.digests) and self.digests[place] == wanted


@dataclass(frozen=True, slots=True)
class Policy:
    allowed_regions: frozenset[str] | None = None
    """ISO 3166 countries; None: all."""
    caller_ids: frozenset[str] | None = None
    """The numbers a row may name as its own caller id; None: not known here."""
    suppressed: Suppressed = field(default_factory=Suppressed)


ANYONE = Policy()
"""Where there is no account to ask, as on a command line without a server."""
