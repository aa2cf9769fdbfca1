"""After a closed gate nothing leaves, and it is closed only when nothing is on its way."""

from typing import Final

from audit.batch import Batch
from audit.book import Heard
from audit.findings import check
from audit.marks import Mark
from audit.person import Call, Person
from audit.scene import Scene
from contracts.gates import BatchGateClosed

GATE: Final = check("gate", "Nothing is placed, and nothing recorded, after the gate was closed.")
DRAINED: Final = check("drained", "A gate is called closed only when no request is on its way.")


def judge(person: Person, batch: Batch, scene: Scene) -> None:
    for call in person.calls.values():
        if call.placing is not None:
            scene.findings.looked(GATE)
        for at, gate in batch.gates:
            _judge(call, at, gate, person, scene)


def _judge(call: Call, at: int, gate: Heard[BatchGateClosed], person: Person, scene: Scene) -> None:
    for_good, findings = gate.event.for_good, scene.findings
    if for_good and call.recorded is not None and call.recorded.at > at:
        told = person.told(call.recorded)
        findings.breach(GATE, "recorded after its batch was deleted", gate.told, *told)
    placing = call.placing
    if placing is None or not (for_good or placing.epoch <= gate.event.through_epoch):
        return
    if placing.at > at:
        findings.breach(GATE, "placed after the gate was closed", gate.told, *person.told(placing))
        return
    findings.looked(DRAINED)
    settled = _settled(call)
    if settled is not None and settled.at <= at:
        return
    if scene.owes_its_like(at):
        told = person.told(placing, settled)
        findings.breach(DRAINED, "closed while a request was on its way", gate.told, *told)
    else:
        findings.open(DRAINED, "what settled a request is beyond the end that was read")


def _settled(call: Call) -> Mark | None:
    """The first word of what became of its request."""
    marks = [mark for mark in (call.started, call.over) if mark is not None]
    return min(marks, key=lambda mark: mark.at, default=None)
