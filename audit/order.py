"""A key's events stand in the log in the order of their numbers: readers ignore what is older.

Where a thing was said first is its place; said again, it may stand anywhere.
"""

from collections.abc import Iterable
from typing import Final

from audit.batch import Batch
from audit.findings import Findings, Told, check
from audit.marks import Kind, Mark
from audit.person import Call, Person
from audit.scene import Scene

ORDER: Final = check("order", "What is said under one key is said in the order of its numbers.")

Rank = tuple[int, ...]


def judge_batch(batch: Batch, scene: Scene) -> None:
    commands, gates = batch.book.commands.values(), batch.book.gates.values()
    in_order([((h.event.command_no,), h.told) for h in commands], scene.findings)
    in_order([((h.event.sequence,), h.told) for h in batch.statuses], scene.findings)
    closed = [((h.event.through_epoch, h.event.for_good, not h.event.live), h.told) for h in gates]
    in_order(closed, scene.findings)


def judge_directory(scene: Scene) -> None:
    for entry in scene.book.directory.values():
        in_order([((h.event.version,), h.told) for h in entry.values()], scene.findings)


def judge_person(person: Person, scene: Scene) -> None:
    """Its grants, and what became of them."""
    last: dict[tuple[bool, int], Mark] = {}
    scene.findings.looked(ORDER, len(person.marks))
    for mark in person.marks:  # by offset
        if _may_come_late(mark, person.calls[mark.grant_no]):
            continue
        stream = mark.kind == Kind.QUEUED, mark.partition
        before = last.setdefault(stream, mark)
        if (mark.grant_no, mark.kind) < (before.grant_no, before.kind):
            _breach(scene.findings, *person.told(before, mark))
        else:
            last[stream] = mark


def _may_come_late(mark: Mark, call: Call) -> bool:
    """The truth about what was unknown; an announcement that nobody waited for any more.

    A dialer that was frozen announces late what was given back meanwhile, and asks nothing.
    """
    given_up = call.returned is not None and not call.returned.requested
    return mark.late or mark.kind == Kind.RECORDED or (mark.kind == Kind.PLACING and given_up)


def in_order(ranked: Iterable[tuple[Rank, Told]], findings: Findings) -> None:
    last: dict[int, tuple[Rank, Told]] = {}
    for rank, told in sorted(ranked, key=lambda it: (it[1].partition, it[1].offset)):
        findings.looked(ORDER)
        before_rank, before = last.setdefault(told.partition, (rank, told))
        if rank < before_rank:
            _breach(findings, before, told)
        else:
            last[told.partition] = rank, told


def _breach(findings: Findings, before: Told, late: Told) -> None:
    findings.breach(ORDER, "first said after what comes after it", before, late)
