"""Every command gets exactly one verdict, of its own kind; rename and delete are facts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from audit.batch import Batch
from audit.book import Heard
from audit.findings import Findings, check
from audit.marks import micros
from audit.scene import Scene
from contracts import batches, status
from contracts.batches import BatchCommand
from contracts.status import BatchStatusEvent

VERDICTS: Final = check(
    "verdicts", "Every command that needs a verdict gets one, once, in its turn, and no other."
)

ANSWERS: Final[Mapping[type[BatchCommand], tuple[type[BatchStatusEvent], ...]]] = MappingProxyType(
    {
        batches.BatchCreated: (status.BatchScheduled,),
        batches.BatchStartRequested: (status.BatchStarted, status.BatchScheduled),
        batches.BatchPauseRequested: (status.BatchPaused,),
        batches.BatchResumeRequested: (status.BatchResumed,),
        batches.BatchCancelRequested: (status.BatchCancelled,),
        batches.BatchRetryRequested: (status.BatchRetried,),
        batches.RecipientsAddRequested: (status.RecipientsAddAccepted,),
        batches.RecipientRemovalRequested: (status.RecipientRemoved,),
        batches.BatchImportFailed: (status.BatchFailed,),
    }
)
"""What each may be answered with, besides a refusal."""
UNASKED: Final = (status.BatchStarted, status.BatchCompleted, status.BatchFailed)


def judge_batch(batch: Batch, scene: Scene) -> None:
    findings = scene.findings
    commands = {h.event.command_id: h for h in batch.book.commands.values()}
    answered: dict[UUID, list[Heard[BatchStatusEvent]]] = {}
    seen = 0
    for heard in batch.statuses:
        event = heard.event
        if event.command_id is None:
            if not isinstance(event, UNASKED):
                findings.breach(VERDICTS, "said unasked", heard.told)
        else:
            answered.setdefault(event.command_id, []).append(heard)
            _fits(heard, commands.get(event.command_id), scene)
        if event.command_no < seen:
            findings.breach(VERDICTS, "the commands seen became fewer", heard.told)
        seen = max(seen, event.command_no)
    _one_each(commands, answered, seen, findings)


def _fits(
    verdict: Heard[BatchStatusEvent], command: Heard[BatchCommand] | None, scene: Scene
) -> None:
    if command is None:
        if scene.owes_its_cause(micros(verdict.event.at)):
            scene.findings.breach(VERDICTS, "a verdict on no command", verdict.told)
        else:
            scene.findings.open(VERDICTS, "its command is beyond the end that was read")
        return
    kinds = (*ANSWERS.get(type(command.event), ()), status.BatchActionRejected)
    same = verdict.event.command_no == command.event.command_no
    if not same or type(verdict.event) not in kinds or type(command.event) not in ANSWERS:
        scene.findings.breach(VERDICTS, "no verdict on such a command", command.told, verdict.told)


def _one_each(
    commands: Mapping[UUID, Heard[BatchCommand]],
    answered: Mapping[UUID, list[Heard[BatchStatusEvent]]],
    seen: int,
    findings: Findings,
) -> None:
    for command_id, command in commands.items():
        if type(command.event) not in ANSWERS:
            continue
        findings.looked(VERDICTS)
        verdicts = answered.get(command_id, [])
        if len(verdicts) > 1:
            told = [verdict.told for verdict in verdicts]
            findings.breach(VERDICTS, "more than one verdict", command.told, *told)
        elif not verdicts and command.event.command_no <= seen:
            findings.breach(VERDICTS, "passed over without a verdict", command.told)
        elif not verdicts:
            findings.open(VERDICTS, "no verdict yet")
