"""Nobody is forgotten: in a batch that is COMPLETED everybody is final; who was removed is left."""

from typing import Final

from audit.batch import Batch
from audit.findings import check
from audit.grants import progress_after
from audit.marks import micros
from audit.person import Call, Person
from audit.scene import Scene
from contracts.progress import called_again_from
from contracts.status import BatchCompleted

FINAL: Final = check("final", "In a completed batch every accepted recipient is final.")
REMOVED: Final = check(
    "removed", "Whoever was removed had not been called before, and is not called after."
)


def judge(person: Person, batch: Batch, scene: Scene) -> None:
    if person.recipient_id in batch.removed:
        _is_left_alone(person, batch, scene)
    else:
        _is_final(person, batch, scene)


def _is_left_alone(person: Person, batch: Batch, scene: Scene) -> None:
    scene.findings.looked(REMOVED)
    at, removal = batch.removed[person.recipient_id]
    for call in person.granted():
        queued, back = call.queued, call.returned
        if queued is None:
            continue
        if queued.at >= at or back is None or back.at > at:
            told = person.told(queued, back)
            scene.findings.breach(REMOVED, "removed, and called", removal, *told)


def _is_final(person: Person, batch: Batch, scene: Scene) -> None:
    completed = batch.completed
    accepted = person.row is not None and person.row.grant_no in batch.expected
    if completed is None or not accepted or not isinstance(completed.event, BatchCompleted):
        return
    if not scene.owes_its_cause(micros(completed.event.at)):
        scene.findings.open(FINAL, "the last endings are beyond the end that was read")
        return
    scene.findings.looked(FINAL)
    calls = person.granted()
    last = calls[-1] if calls else None
    at = micros(completed.event.at) + scene.apart
    if last is not None and (last.over is None or last.over.at > at):
        told = person.told(last.queued, last.over)
        scene.findings.breach(FINAL, "completed during a call", completed.told, *told)
    elif not completed.event.expired and _waits(last, batch):
        told = person.told(*([person.row] if last is None else [last.queued, last.over]))
        scene.findings.breach(FINAL, "completed with somebody left to call", completed.told, *told)


def _waits(last: Call | None, batch: Batch) -> bool:
    """Whether a call was still to come; what was unknown may have been settled since."""
    if last is None or batch.now is None:
        return True
    rules = batch.rules(batch.now.event)
    known = list(progress_after(last))
    return all(p.outcome is None or called_again_from(p, rules) is not None for p in known)
