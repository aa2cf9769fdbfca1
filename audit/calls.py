"""Nothing rings unannounced; a call begins once and ends once."""

from typing import Final

from audit.findings import check
from audit.person import Call, Person
from audit.scene import Scene
from contracts.outcomes import Outcome

ANNOUNCED: Final = check(
    "announced", "Nothing was asked of a carrier that the log had not announced before."
)
ONE_START: Final = check("one-start", "A call has one beginning, under one id of the carrier's.")
ONE_END: Final = check(
    "one-end", "A call ends once; only what was unknown may be settled, and says that it is late."
)

NEVER_ASKED: Final = frozenset({Outcome.SUPPRESSED, Outcome.EXPIRED})


def judge(person: Person, scene: Scene) -> None:
    for call in person.calls.values():
        _was_announced(call, person, scene)
        _begins_once(call, person, scene)
        _ends_once(call, person, scene)


def _was_announced(call: Call, person: Person, scene: Scene) -> None:
    scene.findings.looked(ANNOUNCED)
    placing = call.placing
    for mark in (call.started, call.returned, call.unknown, call.ended):
        if mark is None or not (mark.requested or mark is call.started):
            continue
        if placing is None or placing.offset > mark.offset:
            told = person.told(placing, mark)
            scene.findings.breach(ANNOUNCED, "asked of a carrier, not announced before", *told)
            return
    if call.recorded is not None and placing is None and scene.owes_its_cause(call.recorded.at):
        told = person.told(call.recorded)
        scene.findings.breach(
            ANNOUNCED, "it brought something back, and was never announced", *told
        )
    if placing is not None and call.ended is not None and call.ended.outcome in NEVER_ASKED:
        told = person.told(placing, call.ended)
        scene.findings.breach(ANNOUNCED, "announced, though its number must not be called", *told)


def _begins_once(call: Call, person: Person, scene: Scene) -> None:
    if call.started is None:
        return
    scene.findings.looked(ONE_START)
    for mark in (call.ended, call.unknown):
        if mark is not None and mark.detail not in (0, call.started.detail):
            told = person.told(call.started, mark)
            scene.findings.breach(ONE_START, "two calls of the carrier's", *told)
    if call.returned is not None:
        told = person.told(call.started, call.returned)
        scene.findings.breach(ONE_START, "given back as unplaced, though it had begun", *told)


def _ends_once(call: Call, person: Person, scene: Scene) -> None:
    returned, unknown, ended = call.returned, call.unknown, call.ended
    if call.over is None:
        if call.queued is not None:
            scene.findings.open(ONE_END, "calls in flight")
        return
    scene.findings.looked(ONE_END)
    told = person.told(returned, unknown, ended)
    if returned is not None and (unknown is not None or ended is not None):
        scene.findings.breach(ONE_END, "given back and ended", *told)
    if ended is None:
        return
    settles = unknown is not None and unknown.offset < ended.offset
    if ended.late != settles:
        scene.findings.breach(ONE_END, "a second ending, or late without a first", *told)
