"""A recipient's calls, each put together from its marks; what is repeated counts once."""

from dataclasses import dataclass, field
from uuid import UUID

from audit.book import REPEATS
from audit.findings import Findings, Told
from audit.marks import Kind, Mark, unpacked


@dataclass(slots=True)
class Call:
    grant_no: int
    queued: Mark | None = None
    placing: Mark | None = None
    started: Mark | None = None
    returned: Mark | None = None
    unknown: Mark | None = None
    ended: Mark | None = None
    recorded: Mark | None = None

    def heard(self) -> list[Mark]:
        """What dialers said of it, without what it brought back."""
        told = (self.placing, self.started, self.returned, self.unknown, self.ended)
        return [mark for mark in told if mark is not None]

    @property
    def over(self) -> Mark | None:
        """The first word that it is over: its slot is free from then on."""
        ends = [mark for mark in (self.returned, self.unknown, self.ended) if mark is not None]
        return min(ends, key=lambda mark: mark.at, default=None)


@dataclass(frozen=True, slots=True)
class Person:
    recipient_id: UUID
    row: Mark | None
    calls: dict[int, Call] = field(default_factory=dict)
    """By the number of the grant."""
    marks: tuple[Mark, ...] = ()

    def told(self, *marks: Mark | None) -> tuple[Told, ...]:
        return tuple(mark.told(self.recipient_id) for mark in marks if mark is not None)

    def granted(self) -> list[Call]:
        """In the order of their numbers."""
        calls = sorted(self.calls.values(), key=lambda call: call.grant_no)
        return [call for call in calls if call.queued is not None]


_FIELDS = {
    Kind.QUEUED: "queued",
    Kind.PLACING: "placing",
    Kind.STARTED: "started",
    Kind.RETURNED: "returned",
    Kind.UNKNOWN: "unknown",
    Kind.ENDED: "ended",
    Kind.RECORDED: "recorded",
}


def assembled(number: int, packed: bytes, findings: Findings) -> Person:
    marks = sorted(unpacked(packed), key=lambda mark: mark.offset)
    person = Person(UUID(int=number), next((m for m in marks if m.kind == Kind.ROW), None))
    once: list[Mark] = []
    for mark in marks:
        if mark.kind == Kind.ROW:
            continue
        call = person.calls.get(mark.grant_no)
        if call is None:
            call = person.calls[mark.grant_no] = Call(mark.grant_no)
        name = _FIELDS[Kind(mark.kind)]
        before: Mark | None = getattr(call, name)
        if before is None:
            setattr(call, name, mark)
            once.append(mark)
        elif before.content == mark.content:
            findings.repeated += 1
        else:
            findings.breach(REPEATS, "one id, two contents", *person.told(before, mark))
    findings.looked(REPEATS, len(marks) - (person.row is not None))
    return Person(person.recipient_id, person.row, person.calls, tuple(once))
