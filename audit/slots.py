"""Never too many: an account's calls, from grant to end, are counted anew at every grant."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from audit.book import Heard
from audit.findings import Told, check
from audit.marks import Kind, Mark, micros
from audit.person import Person
from audit.scene import Scene
from contracts.directory import AccountConfigured

SLOTS: Final = check("slots", "No slot is granted while an account's calls are at its limit.")
LIMIT: Final = check("limit", "A slot is granted under a limit of its account that was in force.")
RESERVED: Final = check("reserved", "A batch takes no slot that it leaves to the account's others.")

MOST_NAMED: Final = 20
"""Of the grants of one instant."""
_NOT_OVER: Final = 2**63 - 1
_HALF: Final = 2**64
_SIGNED: Final = 2**63


class Slot(NamedTuple):
    at: int
    limit: int
    reserved: int
    batch: int
    place: int
    person: int
    grant_no: int

    def told(self) -> Told:
        where = self.place >> 48, self.place & (2**48 - 1)
        mark = Mark(
            Kind.QUEUED, *where, self.at, 0, 0, 0, self.batch, self.limit, self.grant_no,
            0, 0, 0, 0, 0,
        )  # fmt: skip
        return mark.told(UUID(int=self.person))


class Slots:
    """Of one account, in columns: a number of them for each grant there ever was."""

    def __init__(self) -> None:
        self._columns = [array("q") for _ in range(8)]
        self._over = array("q")

    def add(self, person: Person, reserved: int) -> None:
        for call in person.granted():
            queued = call.queued
            if queued is None:
                continue
            high, low = divmod(person.recipient_id.int, _HALF)
            row = (
                queued.at, queued.number, reserved, queued.batch,
                queued.partition << 48 | queued.offset, high - _SIGNED, low - _SIGNED,
                queued.grant_no,
            )  # fmt: skip
            for column, value in zip(self._columns, row, strict=True):
                column.append(value)
            self._over.append(_NOT_OVER if call.over is None else call.over.at)

    def decisions(self) -> Iterator[list[Slot]]:
        """What was granted together, in the order of time."""
        instants = self._columns[0]
        order = sorted(range(len(instants)), key=instants.__getitem__)
        for _, places in groupby(order, key=instants.__getitem__):
            yield [self._slot(place) for place in places]

    def ends(self) -> Sequence[int]:
        return array("q", sorted(self._over))

    def _slot(self, place: int) -> Slot:
        at, limit, reserved, batch, where, high, low, grant_no = (c[place] for c in self._columns)
        person = (high + _SIGNED) * _HALF + low + _SIGNED
        return Slot(at, limit, reserved, batch, where, person, grant_no)


def judge(slots: Slots, limits: Sequence[Heard[AccountConfigured]], scene: Scene) -> None:
    ends, granted = slots.ends(), 0
    in_force = _InForce(limits, scene)
    for together in slots.decisions():
        at = together[0].at
        live = granted - bisect_right(ends, at + scene.apart)
        granted += len(together)
        _count(live, together, scene)
        in_force.judge(together)


def _count(live: int, together: Sequence[Slot], scene: Scene) -> None:
    limit, findings = together[0].limit, scene.findings
    findings.looked(SLOTS, len(together))
    findings.looked(RESERVED, sum(slot.reserved > 0 for slot in together))
    settled = scene.owes_its_cause(together[0].at)
    if live + len(together) > limit:
        what = f"{live + len(together)} calls at once, the limit is {limit}"
        if settled:
            findings.breach(SLOTS, what, *_told(together))
        else:
            findings.open(SLOTS, "endings are beyond the end that was read")
        return
    for reserve in {min(slot.reserved, max(0, limit - 1)) for slot in together} - {0}:
        takers = [slot for slot in together if min(slot.reserved, max(0, limit - 1)) >= reserve]
        if live + len(takers) > limit - reserve:
            what = f"{live} calls, {len(takers)} more, {reserve} of {limit} slots were to stay free"
            if settled:
                findings.breach(RESERVED, what, *_told(takers))
            else:
                findings.open(RESERVED, "endings are beyond the end that was read")


class _InForce:
    """The scheduler hears of limits one after the other, and never goes back to an older one."""

    def __init__(self, limits: Iterable[Heard[AccountConfigured]], scene: Scene) -> None:
        self._limits = sorted(limits, key=lambda heard: heard.event.version)
        self._known = 0
        self._scene = scene

    def judge(self, together: Sequence[Slot]) -> None:
        first, findings = together[0], self._scene.findings
        findings.looked(LIMIT, len(together))
        for number in range(self._known, len(self._limits)):
            event = self._limits[number].event
            said = micros(event.at) <= first.at + self._scene.apart
            if said and event.concurrency == first.limit:
                self._known = number
                break
        else:
            what = f"granted under a limit of {first.limit} that was not in force"
            findings.breach(LIMIT, what, *_told(together))
        if len({slot.limit for slot in together}) > 1:
            findings.breach(LIMIT, "two limits at one instant", *_told(together))


def _told(slots: Sequence[Slot]) -> tuple[Told, ...]:
    return tuple(sorted(slot.told() for slot in slots)[:MOST_NAMED])
