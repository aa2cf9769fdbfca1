"""A part that holds more after every thousand calls is a leak, however slowly it goes.

Judged by the median of the slopes between any two readings (Theil and Sen): a piece of memory that
is taken once convicts nobody, and one low reading acquits nobody.  The first readings are of no
account: caches fill and pools open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

KILOBYTE = 1024
WARM_UP = 1 / 3
"""Of the calls."""
FLAT = 100
"""KB per 1,000 calls: a tenth of a kilobyte of each call, less than any object with its place."""


@dataclass(frozen=True, slots=True)
class Reading:
    calls: int
    held: Mapping[str, int]
    """Bytes, by part."""


@dataclass(frozen=True, slots=True)
class Growth:
    part: str
    slope: float
    """KB per 1,000 calls."""
    first: int
    most: int

    @property
    def leaks(self) -> bool:
        return self.slope > FLAT

    def __str__(self) -> str:
        first, most = (held / KILOBYTE**2 for held in (self.first, self.most))
        slope = f"{self.slope:+9.1f} KB per 1,000 calls"
        return f"{self.part:<12} {slope}; {first:.0f} MB, at most {most:.0f} MB"


def growths(readings: Sequence[Reading]) -> list[Growth]:
    """Of every part, after the warm-up."""
    warm = [it for it in readings if it.calls >= WARM_UP * readings[-1].calls]
    return [_growth(part, warm) for part in warm[0].held]


def _growth(part: str, readings: Sequence[Reading]) -> Growth:
    held = [it.held[part] for it in readings]
    slopes = [
        (later.held[part] - earlier.held[part]) / KILOBYTE / (later.calls - earlier.calls) * 1000
        for earlier, later in combinations(readings, 2)
        if later.calls > earlier.calls
    ]
    return Growth(part, median(slopes), held[0], max(held))
