"""Moments are told by the requests made, never by a clock."""

from tests.house import House

EVERY = 0.02


class Requests:
    """Counts the requests of the carrier's ledger from where it stands now."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seq = house.seq()
        self.count = 0

    def reached(self, count: int) -> bool:
        news = self._house.ledger(after=self._seq)
        if news.entries:
            self._seq = news.entries[-1]["seq"]
        self.count += len(news.of("request"))
        return self.count >= count
