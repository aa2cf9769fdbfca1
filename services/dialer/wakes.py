"""Who is woken by what: a wake that is missing here costs a second, not a call."""

from collections.abc import Callable
from dataclasses import dataclass, field

from chassis.records import Received
from chassis.wake import Alarm
from services.dialer.handlers import opens_work


@dataclass(frozen=True, slots=True)
class Wakes:
    relay: Callable[[], None]
    placer: Alarm = field(default_factory=Alarm)
    reconciler: Alarm = field(default_factory=Alarm)
    drain: Alarm = field(default_factory=Alarm)

    def folded(self, records: list[Received]) -> None:
        if any(opens_work(record.event) for record in records):
            self.placer.ring()
            self.reconciler.ring()
            self.drain.ring()

    def intended(self) -> None:
        self.reconciler.ring()

    def settled(self) -> None:
        self.relay()
        self.drain.ring()
