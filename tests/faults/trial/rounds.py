"""A trial is rounds in one house: load under fire, then quiet, then the verdict."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from types import TracebackType
from typing import Self

from tests.faults.trial.checks import FINAL, Breach, Evidence, Told, judged
from tests.faults.trial.clerk import UnansweredError
from tests.faults.trial.fire import Fire, Struck
from tests.faults.trial.grounds import Grounds
from tests.faults.trial.known import Known
from tests.faults.trial.load import Desk
from tests.faults.trial.said import Said
from tests.faults.trial.schedule import SHORT, Fault, Kind, Span, schedule
from tests.faults.trial.tally import Tally
from tests.faults.trial.thorough import (
    every_slot_can_be_used,
    no_deleted_batch_has_a_key,
    no_slot_is_held,
    the_log_keeps_every_promise,
    the_models_are_the_log,
)
from tests.house import Json

IMPATIENT = {
    "ROLLCALL_UNKNOWN_HORIZON_SECONDS": "5",
    "ROLLCALL_SILENCE_SECONDS": "2",
    "ROLLCALL_NUMBER_BUSY_SECONDS": "1",
}
LIKELY: Json = {
    "lost_response": 0.01, "lost_request": 0.01, "error_5xx": 0.02, "slow": 0.02,
    "duplicate_callback": 0.05, "late_callback": 0.02, "reordered_callback": 0.05,
    "unauthorized": 0.0005,
    "slow_seconds": 1, "late_seconds": 1,
}  # fmt: skip
QUICK: Json = {"ring_seconds": [0.02, 0.2], "talk_seconds": [0.05, 0.8]}
OFTEN = 0.25
STILL = 60.0
"""Seconds without a request after which no more work is given: what has stopped is judged."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a round."""

    placements: int = 1500
    faults: int = 10
    accounts: int = 3
    limit: int = 60
    """Of each account: the highest."""
    batch: int = 120
    seconds: float = 240
    """For everything to end, once nothing is broken any more."""
    parts: Sequence[str] | None = None
    """That faults strike; None: all there are."""
    kinds: Sequence[Kind] | None = None
    lasting: dict[Kind, Span] = field(default_factory=lambda: dict(SHORT))
    carrier: Json = field(default_factory=lambda: {**QUICK, "faults": LIKELY})


class Watch:
    """Counts the requests of the carrier's ledger by caller."""

    def __init__(self, ground: Grounds) -> None:
        self.called: Counter[str] = Counter()
        self._house = ground.house
        self._seq = self.since = ground.house.seq()
        self._moved = time.monotonic()

    def stood_still(self, seconds: float) -> bool:
        return time.monotonic() > self._moved + seconds

    def look(self) -> int:
        news = self._house.ledger(after=self._seq)
        if news.entries:
            self._seq = news.entries[-1]["seq"]
            self._moved = time.monotonic()
        self.called.update(entry["from"] for entry in news.of("request"))
        return self.called.total()


class Trial:
    def __init__(self, ground: Grounds, seed: int, size: Size) -> None:
        self.tally = Tally()
        self.struck: Sequence[Struck] = ()
        """In the last round."""
        self.seed = seed
        self._ground, self._size = ground, size
        self.house = ground.house
        self._said = Said()
        self._round = 0
        self.desks = [
            Desk(ground.house, f"account-{n}", seed, number=n, most=size.limit)
            for n in range(size.accounts)
        ]

    def __enter__(self) -> Self:
        for desk in self.desks:
            desk.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for desk in self.desks:
            desk.close()

    def round(self) -> list[Breach]:
        """What the round has broken."""
        try:
            return self._whole_round()
        except UnansweredError as error:
            unanswered = Breach("everybody_is_answered_in_the_end", str(error))
            self.tally.breaches.append(unanswered)
            return [unanswered]

    def _whole_round(self) -> list[Breach]:
        self._round += 1
        for desk in self.desks:
            desk.batches.clear()
            desk.said.clear()
            desk.limits.settle()
        self._ground.house.behave(seed=self.seed + self._round, **self._size.carrier)
        watch = Watch(self._ground)
        for desk in self.desks:
            desk.create(self._size.batch)
        with Fire(self._ground, self._faults()) as fire:
            self._work(watch)
        self.struck = fire.struck
        late = self._settled()
        breaches = [*late, *self._judged(watch, whole=not late)]
        self.tally.breaches += breaches
        return breaches

    def thorough(self) -> list[Breach]:
        """What takes too long for every round."""
        found = list(every_slot_can_be_used(self.house, self.desks))
        self.tally.breaches += found
        return found + self.of_the_log()

    def of_the_log(self) -> list[Breach]:
        """What the log shows even of batches that do not end."""
        found = [*the_models_are_the_log(self.house), *the_log_keeps_every_promise(self.house)]
        self.tally.breaches += found
        return found

    def _faults(self) -> tuple[Fault, ...]:
        size = self._size
        kinds = [kind for kind in size.kinds or Kind if kind in self._ground.kinds]
        return schedule(
            self.seed * 1000 + self._round,
            size.parts or self._ground.parts,
            faults=size.faults,
            requests=max(1, size.placements * 4 // 5),
            kinds=kinds,
            lasting=size.lasting,
        )

    def _work(self, watch: Watch) -> None:
        enough = Event()
        with ThreadPoolExecutor(len(self.desks)) as pool:
            working = [pool.submit(self._busy, desk, watch, enough) for desk in self.desks]
            try:
                while watch.look() < self._size.placements and not watch.stood_still(STILL):
                    if any(each.done() for each in working):
                        break
                    time.sleep(OFTEN)
            finally:
                enough.set()
        for each in working:
            each.result()

    def _busy(self, desk: Desk, watch: Watch, enough: Event) -> None:
        """Keeps people waiting, and asks for something else now and then."""
        size = self._size
        while not enough.is_set():
            while desk.waiting(watch.called) < size.batch and not enough.is_set():
                desk.create(size.batch)
            desk.move()
            enough.wait(OFTEN)

    def _settled(self) -> list[Breach]:
        with ThreadPoolExecutor(len(self.desks)) as pool:
            list(pool.map(Desk.calm, self.desks))
            late = list(pool.map(lambda desk: desk.unsettled(self._size.seconds), self.desks))
        return [
            _endless(desk, batch, self._size.seconds)
            for desk, batches in zip(self.desks, late, strict=True)
            for batch in batches
        ]

    def _judged(self, watch: Watch, *, whole: bool) -> list[Breach]:
        """`whole`: all batches have ended, and what is said of them can be judged too."""
        house = self._ground.house
        held = list(no_slot_is_held(house)) if whole else []
        held += no_deleted_batch_has_a_key(house, self.desks) if whole else []
        self._said.read_on(house.endpoints["kafka"])
        seen = Evidence(
            ledger=house.ledger(after=watch.since),
            batches=[batch for desk in self.desks for batch in desk.batches],
            limits={desk.account: desk.limits for desk in self.desks},
            announced=self._said.announced,
            unheard=self._said.unheard.values(),
            told={k: v for desk in self.desks for k, v in _told(desk).items()} if whole else {},
        )
        self.tally.add(seen, self.struck)
        self.tally.ended_unknown = self._said.unknown
        return [*held, *judged(seen)]


def _endless(desk: Desk, batch: Known, seconds: float) -> Breach:
    """With one of those that it waits for."""
    path = f"/v1/batches/{batch.batch_id}/recipients"
    people = [] if batch.deleted else desk.clerk.pages(path)
    stuck = next((person for person in people if person["status"] not in FINAL), None)
    return Breach(
        "every_batch_ends_once_nothing_is_broken",
        f"not within {seconds:.0f} s; {stuck and stuck['status']}",
        batch.batch_id,
        stuck["phone_number"] if stuck else "",
        stuck["recipient_id"] if stuck else "",
    )


def _told(desk: Desk) -> dict[str, Told]:
    found = {}
    for batch in desk.batches:
        if not batch.deleted:
            path = f"/v1/batches/{batch.batch_id}"
            found[batch.batch_id] = Told(
                desk.clerk.read(path, batch.position), desk.clerk.pages(f"{path}/recipients")
            )
    return found
