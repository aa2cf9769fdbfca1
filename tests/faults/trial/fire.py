"""Strikes by the schedule while the load runs, and leaves everything whole when it ends.

It follows the requests that the carrier has had; where none come for a while, it strikes all the
same: a system that stands still is under fire, too.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from types import TracebackType
from typing import Self

import httpx2

from tests.faults.storm import Requests
from tests.faults.trial.grounds import Grounds
from tests.faults.trial.schedule import Fault
from tests.faults.trial.strokes import Strokes
from tests.house import until

EVERY, PATIENCE, BACK = 0.05, 6.0, 180.0


@dataclass(slots=True)
class Struck:
    fault: Fault
    at: datetime
    requests: int
    """That the carrier had had by then: fewer than planned where nothing happened any more."""
    pid: int | None
    until: datetime | None = None

    def __str__(self) -> str:
        fault, end = self.fault, f"{self.until:%H:%M:%S.%f}" if self.until else "..."
        pid = f" (pid {self.pid})" if self.pid else ""
        span = f"{self.at:%H:%M:%S.%f} to {end}"
        return f"{span} after {self.requests} requests: {fault.kind} {fault.part}{pid}"


class Fire:
    """`struck` is what was done, in its order; for the story, and for the count."""

    def __init__(self, grounds: Grounds, schedule: Sequence[Fault]) -> None:
        self.struck: list[Struck] = []
        self._grounds = grounds
        self._waiting = list(schedule)
        self._burning: list[tuple[float, Struck]] = []
        self._strokes = Strokes(grounds)
        self._requests = Requests(grounds.house)
        self._enough, self._spent = Event(), Event()
        self._failed: BaseException | None = None
        self._thread = Thread(target=self._run, name="fire")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.join()
        self._strokes.see_off()
        if self._failed is not None:
            raise self._failed
        if error is None:
            self._until_all_are_up()

    def until_spent(self, seconds: float) -> None:
        """Every fault of the schedule has struck and is over."""
        assert self._spent.wait(seconds), f"not within {seconds:.0f} s: {self._waiting}"

    def _run(self) -> None:
        try:
            self._burn()
        except BaseException as error:  # noqa: BLE001 - raised again where the fire ends
            self._failed = error
        finally:
            self._spent.set()
            self._mend(self._burning)

    def _burn(self) -> None:
        moved = time.monotonic()
        while not self._enough.wait(EVERY):
            now, before = time.monotonic(), self._requests.count
            if self._requests.reached(before + 1):
                moved = now
            self._mend([each for each in self._burning if each[0] <= now])
            stands_still = now - moved > PATIENCE
            due = [f for f in self._waiting if f.after <= self._requests.count]
            for fault in due or self._waiting[: int(stands_still)]:
                if self._strokes.can(fault):
                    self._strike(fault)
                    moved = time.monotonic()
            if not self._waiting and not self._burning:
                self._spent.set()

    def _strike(self, fault: Fault) -> None:
        at = datetime.now(UTC)
        struck = Struck(fault, at, self._requests.count, self._strokes.strike(fault))
        self._waiting.remove(fault)
        self.struck.append(struck)
        print(f"  {struck}", flush=True)
        self._burning.append((time.monotonic() + fault.seconds, struck))

    def _mend(self, ending: Sequence[tuple[float, Struck]]) -> None:
        for each in list(ending):
            self._burning.remove(each)
            others = [struck.fault for _, struck in self._burning]
            self._strokes.mend(each[1].fault, others)
            each[1].until = datetime.now(UTC)

    def _until_all_are_up(self) -> None:
        house, services = self._grounds.house, self._grounds.services
        ends = house.endpoints
        urls = dict(
            zip([n for n in services if n.startswith("dialer-")], ends["dialers"], strict=True)
        )
        for name in services:
            url = urls.get(name) or ends[name]
            until(lambda: _is_ready(url), f"{name} ready", BACK)  # noqa: B023 - used now


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz").is_success
    except httpx2.TransportError:
        return False
