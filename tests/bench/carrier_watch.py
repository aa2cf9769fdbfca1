"""What the carrier has seen since the watch began: no figure takes our own word for a call."""

from datetime import datetime

from tests.house import House, Json
from tests.ledger import Ledger


class Watch:
    """The carrier's ledger from now on; `look` reads on to its present end."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seq = house.seq()
        self._entries: list[Json] = []

    def look(self) -> Ledger:
        fresh = self._house.ledger(self._seq).entries
        self._entries += fresh
        self._seq = fresh[-1]["seq"] if fresh else self._seq
        return Ledger(self._entries)

    def live(self) -> int:
        """Calls that have been taken and have not ended."""
        seen = self.look()
        return len(seen.accepted()) - len(seen.of("end"))


def at(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["at"])
