"""Where a follower is in a stream: a position means nothing in another generation of the model."""

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"([1-9]\d{0,8}\.[0-9a-f]{8})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Place:
    generation: str
    """Its number and what was drawn for it: databases made anew count from one again."""
    position: int

    def __str__(self) -> str:
        return f"{self.generation}-{self.position}"


def read_place(text: str) -> Place | None:
    """None: it is not one of ours."""
    found = _WRITTEN.fullmatch(text)
    return None if found is None else Place(found[1], int(found[2]))


def goes_on(known: Place | None, now: Place) -> bool:
    """Whether all that came after it can still be told."""
    return (
        known is not None and known.generation == now.generation and known.position <= now.position
    )
