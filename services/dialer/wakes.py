"""Who is woken by what: a wake that is missing here costs a second, not a call."""

from collections.abc import Callable
from dataclasses import dataclass, field

from chassis.records import Received
from chassis.wake import Alarm
from services.dialer.handlers import closes, looks_up, opens_work


@dataclass(slots=True)
class Wakes:
    relay: Callable[[], None]
    placer: Alarm = field(default_factory=Alarm)
    reconciler: Alarm = field(default_factory=Alarm)
    drain: Alarm = field(default_factory=Alarm)
    closing: bool = False
    """A gate waits for calls in hand to be settled."""

    def folded(self, records: list[Received]) -> None:
        events = [record.event for record in records]
        if any(map(opens_work, events)):
            self.placer.ring()
        if any(map(looks_up, events)):
            self.reconciler.ring()
        if any(map(closes, events)):
            self.drain.ring()

    def settled(self) -> None:
        self.relay()
        if self.closing:
            self.drain.ring()
