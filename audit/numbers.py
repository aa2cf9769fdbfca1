"""Numbers have no gaps: whoever ignores what is older than the next one loses nothing."""

from collections.abc import Mapping, Sequence
from typing import Final

from audit.batch import Batch
from audit.findings import Check, Findings, Told, check
from audit.person import Person
from audit.scene import Scene
from contracts.batches import BatchCreated

COMMANDS: Final = check(
    "commands", "A batch's commands are numbered without gaps, from its creation, up to its end."
)
SEQUENCE: Final = check("sequence", "A batch's statuses are numbered without gaps.")
GRANTS: Final = check("grants", "A recipient's grants are numbered without gaps.")
VERSIONS: Final = check("versions", "A directory entry's versions are numbered without gaps.")


def judge_batch(batch: Batch, scene: Scene) -> None:
    book, findings = batch.book, scene.findings
    commands = [(h.event.command_no, h.told) for h in book.commands.values()]
    gapless(COMMANDS, "command_no", commands, findings)
    for heard in book.commands.values():
        if isinstance(heard.event, BatchCreated) != (heard.event.command_no == 1):
            findings.breach(COMMANDS, "the first command is not the creation alone", heard.told)
    _none_after_the_deletion(batch, findings)
    statuses = [(heard.event.sequence, heard.told) for heard in batch.statuses]
    gapless(SEQUENCE, "sequence", statuses, findings)


def _none_after_the_deletion(batch: Batch, findings: Findings) -> None:
    deleted = batch.book.deleted
    if deleted is None:
        return
    for heard in batch.book.commands.values():
        if heard.event.command_no > deleted.event.command_no and heard.event.actor != "rollcall":
            findings.breach(COMMANDS, "asked of a deleted batch", deleted.told, heard.told)


def judge_person(person: Person, scene: Scene) -> None:
    if not person.calls:
        return
    granted = person.granted()
    if [call.grant_no for call in granted] == list(range(1, len(granted) + 1)):
        scene.findings.looked(GRANTS, len(granted))
        return  # as nearly always: their events need not be named
    numbers = [(call.grant_no, told) for call in granted for told in person.told(call.queued)]
    gapless(GRANTS, "grant_no", numbers, scene.findings)


def judge_directory(scene: Scene) -> None:
    for entry in scene.book.directory.values():
        versions = [(heard.event.version, heard.told) for heard in entry.values()]
        gapless(VERSIONS, "version", versions, scene.findings)


def gapless(
    check: Check, name: str, numbers: Sequence[tuple[int, Told]], findings: Findings
) -> None:
    """From 1, each once."""
    findings.looked(check, len(numbers))
    by_number: Mapping[int, list[Told]] = _by_number(numbers)
    expected = 1
    for number, told in sorted(by_number.items()):
        if number != expected:
            findings.breach(check, f"{name} {expected} is missing before {number}", *told)
        if len(told) > 1:
            findings.breach(check, f"{name} {number} is given to {len(told)} events", *told)
        expected = number + 1


def _by_number(numbers: Sequence[tuple[int, Told]]) -> Mapping[int, list[Told]]:
    found: dict[int, list[Told]] = {}
    for number, told in numbers:
        found.setdefault(number, []).append(told)
    return found
