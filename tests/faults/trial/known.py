"""What those who asked know of a batch: by this and the ledger alone it is judged.

A batch calls from a number of its own, so the ledger itself tells whose a request is.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.faults.trial.wishes import Wish

Spell = tuple[datetime, datetime | None]


@dataclass(slots=True)
class Known:
    account: str
    batch_id: str
    caller: str
    wish: Wish
    rows: Counter[str] = field(init=False)
    """How often a number may be on its list, for all that is known."""
    fewest: int = field(init=False)
    """Of rows that are certainly there."""
    runs: int = 1
    """And each retry that may have been done."""
    deleted: bool = False
    position: str = ""
    """A read that names it knows of all that was answered."""
    parked: str = ""
    """The action that is to let it go on."""
    quiet: list[Spell] = field(default_factory=list)
    """From the answer that nothing more is begun until somebody asks for more."""

    def __post_init__(self) -> None:
        self.rows = Counter(self.wish.rows)
        self.fewest = len(self.wish.rows)

    def hush(self, since: datetime) -> None:
        if not self.quiet or self.quiet[-1][1] is not None:
            self.quiet.append((since, None))

    def wake(self) -> None:
        if self.quiet and self.quiet[-1][1] is None:
            self.quiet[-1] = (self.quiet[-1][0], datetime.now(UTC))

    def most_calls(self, number: str) -> int:
        return self.rows[number] * self.wish.attempts * self.runs


@dataclass(slots=True)
class Limits:
    """What an account was allowed at a time, and from when on that may have been so."""

    set: list[tuple[datetime, int]] = field(default_factory=list)

    def most(self, at: datetime) -> int:
        """Of all that were in force until then: a slot granted under an older one still counts."""
        return max(limit for since, limit in self.set if since <= at)

    @property
    def now(self) -> int:
        return self.set[-1][1]

    def settle(self) -> None:
        """Nothing is in flight: the older ones are over."""
        del self.set[:-1]
