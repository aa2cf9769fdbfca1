"""What is wrong in a million rows fits a screen: alike faults are counted together."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

FEW: Final = 3
"""Places that are named, of however many."""
MESSAGES_APART: Final = 4
"""Of one code; the rest of it is one group."""
EXAMPLE_LENGTH: Final = 40

Place = tuple[str, int]
"""`line 7` of a file, or `row 7` where there are no lines."""


@dataclass(slots=True)
class Group:
    name: str
    """Of the field."""
    code: str
    message: str
    example: str | None
    """What the first row says; the file is the reader's own."""
    rows: int = 0
    places: list[Place] = field(default_factory=list)

    @property
    def where(self) -> str:
        """`lines 3, 17, 24 and 120 more`."""
        word = self.places[0][0]
        *before, last = (str(number) for _, number in self.places)
        more = self.rows - len(self.places)
        if more:
            return f"{word}s {', '.join([*before, last])} and {more:,} more"
        return f"{word}s {', '.join(before)} and {last}" if before else f"{word} {last}"

    def as_json(self) -> dict[str, object]:
        told = {"field": self.name, "code": self.code, "message": self.message}
        where = "lines" if self.places[0][0] == "line" else "at_rows"
        places = [number for _, number in self.places]
        return {**told, "example": self.example, "rows": self.rows, where: places}


class Groups:
    """Those of one field, code and message; with `apart` 0 the message makes no difference."""

    def __init__(self, apart: int = MESSAGES_APART) -> None:
        self._apart = apart
        self._groups = dict[tuple[str, str, str], Group]()
        self._messages = Counter[tuple[str, str]]()

    def __iter__(self) -> Iterator[Group]:
        """The most frequent first."""
        return iter(sorted(self._groups.values(), key=lambda group: -group.rows))

    def add(
        self, name: str, code: str, message: str, place: Place, example: str | None = None
    ) -> None:
        group = self._group(name, code, message, example)
        group.rows += 1
        if len(group.places) < FEW:
            group.places.append(place)

    def _group(self, name: str, code: str, message: str, example: str | None) -> Group:
        found = self._groups.get((name, code, message))
        if found is None and self._messages[name, code] < self._apart:
            self._messages[name, code] += 1
            kept = message
        else:
            kept = message if found else ""
        if (name, code, kept) not in self._groups:
            shown = example and example[:EXAMPLE_LENGTH]
            self._groups[name, code, kept] = Group(name, code, message, shown)
        return self._groups[name, code, kept]
