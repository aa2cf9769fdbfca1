"""How many calls there may be, and how they went lately: what a batch's pace depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lately:
    """Calls by the minute in which they were asked for; folded, so never counted one by one."""

    since: datetime | None = None
    """From where on they are counted: the minute under way and the four before it."""
    placed: Mapping[datetime, int] = field(default_factory=dict)
    """By minute, from then on."""
    newest: datetime | None = None
    """The minute of the newest call there is; None: nobody was ever called."""
    ended: int = 0
    """Of the last sixty minutes in which there were calls, like the next."""
    held_ms: int = 0


@dataclass(frozen=True, slots=True)
class Slots:
    """Of the account."""

    limit: int | None = None
    """None: its settings have not been read."""
    taken: int = 0
    batches: int = 0
    """How many of its batches have calls in flight."""

    def most(self, reserved: int) -> int | None:
        """A batch that reserves as much as there is keeps one."""
        return None if self.limit is None else self.limit - min(reserved, max(0, self.limit - 1))
