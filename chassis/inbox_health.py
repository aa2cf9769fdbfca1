"""Ok means: what comes is folded, and whoever decides may decide."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InboxHealth:
    assigned: int
    lag: int
    last_handled: datetime | None
    caught_up: bool
    trouble: str | None
    stopped: dict[str, str]

    @property
    def ok(self) -> bool:
        return self.trouble is None and not self.stopped and self.caught_up
