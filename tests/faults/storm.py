"""Parts are killed at moments the seed decides, told by the requests made, never by a clock."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.house import House, until

EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Kill:
    after: int
    """Requests that the carrier has had of this batch."""
    part: str


def storm(seed: int, parts: Sequence[str], *, kills: int, requests: int) -> list[Kill]:
    """Each part about equally often, in any order, while so many requests are made."""
    dice = random.Random(seed)
    victims = [parts[n % len(parts)] for n in range(kills)]
    dice.shuffle(victims)
    moments = sorted(dice.randrange(requests) for _ in victims)
    return [Kill(after, part) for after, part in zip(moments, victims, strict=True)]


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


def rage(house: House, kills: Sequence[Kill], requests: Requests) -> None:
    """Kills one after the other; a part that is down already is awaited first."""
    dead: set[int] = set()
    print(kills)
    for kill in kills:
        until(lambda: requests.reached(kill.after), f"{kill}", 90, EVERY)  # noqa: B023 - used now
        until(lambda: house.pid(kill.part) not in dead, f"{kill.part} up", 60, EVERY)  # noqa: B023
        dead.add(house.kill(kill.part))
