"""Calls are granted, to whom the batch has, one at a time, and no oftener than they may be."""

from collections.abc import Iterator
from typing import Final

from audit.batch import Batch
from audit.findings import check
from audit.marks import Kind, Mark, instant, micros
from audit.person import Call, Person
from audit.scene import Scene
from contracts.batches import MOST_ATTEMPTS
from contracts.progress import Progress, Rules, Stage, called_again_from

GRANTED: Final = check(
    "granted", "Every call was granted, to a recipient of its batch whose whole list has landed."
)
ONE_CALL: Final = check("one-call", "A recipient is granted a call only after its last is over.")
ATTEMPTS: Final = check(
    "attempts", "Attempts are counted right, and made again only as policy or a person asked."
)
RUNNING: Final = check("running", "A slot is granted only by a running batch, under its epoch.")


def judge(person: Person, batch: Batch, scene: Scene) -> None:
    before: Call | None = None
    for call in sorted(person.calls.values(), key=lambda call: call.grant_no):
        _was_granted(call, person, scene)
        if call.queued is None:
            continue
        _is_of_the_batch(call.queued, person, batch, scene)
        if before is not None:
            _is_alone(before, call.queued, person, scene)
        status = batch.granting(call.queued)
        scene.findings.looked(RUNNING)
        if status is None:
            _is_not_run(call.queued, person, batch, scene)
        else:
            _is_counted(before, call.queued, person, batch.rules(status), scene)
        before = call


def _was_granted(call: Call, person: Person, scene: Scene) -> None:
    scene.findings.looked(GRANTED)
    heard = call.heard() + ([call.recorded] if call.recorded else [])
    if call.queued is None:
        settled = any(scene.owes_its_cause(mark.at) for mark in heard)
        if settled:
            told = person.told(*heard)
            scene.findings.breach(GRANTED, "a call that nobody granted", *told)
        else:
            scene.findings.open(GRANTED, "its grant is beyond the end that was read")
        return
    for mark in heard:
        facts = call.queued.batch, call.queued.epoch, call.queued.attempt, call.queued.run_attempt
        told_facts = mark.batch, mark.epoch, mark.attempt, mark.run_attempt
        if mark.kind == Kind.RECORDED:
            facts, told_facts = facts[:1], told_facts[:1]  # type: ignore[assignment]
        if facts != told_facts or mark.at + scene.apart < call.queued.at:
            told = person.told(call.queued, mark)
            scene.findings.breach(GRANTED, "told otherwise than it was granted", *told)


def _is_of_the_batch(queued: Mark, person: Person, batch: Batch, scene: Scene) -> None:
    row = person.row
    if row is None or row.grant_no not in batch.complete or row.grant_no not in batch.expected:
        if scene.owes_its_cause(queued.at):
            what = "granted to somebody of no list, or of one that had not landed"
            scene.findings.breach(GRANTED, what, *person.told(row, queued))
        else:
            scene.findings.open(GRANTED, "its list is beyond the end that was read")
    elif (row.batch, row.detail) != (queued.batch, queued.detail):
        scene.findings.breach(GRANTED, "another seal than its row's", *person.told(row, queued))


def _is_not_run(queued: Mark, person: Person, batch: Batch, scene: Scene) -> None:
    if not scene.owes_its_like(queued.at):
        scene.findings.open(RUNNING, "its status is beyond the end that was read")
        return
    status = batch.at(queued.at)
    now = "unknown" if status is None else f"{status.status} in epoch {status.epoch}"
    what = f"granted in epoch {queued.epoch} while its batch was {now}"
    scene.findings.breach(RUNNING, what, *person.told(queued))


def _is_alone(before: Call, queued: Mark, person: Person, scene: Scene) -> None:
    scene.findings.looked(ONE_CALL)
    over = before.over
    if over is not None and over.at <= queued.at + scene.apart:
        return
    if scene.owes_its_cause(queued.at):
        told = person.told(before.queued, over, queued)
        scene.findings.breach(ONE_CALL, "granted while its last call was not over", *told)
    else:
        scene.findings.open(ONE_CALL, "the last call's end is beyond the end that was read")


def _is_counted(
    before: Call | None, queued: Mark, person: Person, rules: Rules, scene: Scene
) -> None:
    scene.findings.looked(ATTEMPTS)
    known = [Progress()] if before is None else list(progress_after(before))
    for progress in known:
        first_of_run = progress.epoch < rules.retry_epoch
        run_attempt = 1 if first_of_run else progress.run_attempt + 1
        counted = (progress.attempt + 1, run_attempt) == (queued.attempt, queued.run_attempt)
        due = progress.not_before
        if progress.outcome is not None:
            due = called_again_from(progress, rules)
            if due is None:
                continue
        early = micros(due) > queued.at and due != progress.ended_at
        if counted and not early:
            return
    if known:
        told = person.told(*([before.queued, before.over] if before else []), queued)
        scene.findings.breach(ATTEMPTS, "called again too often, too early or miscounted", *told)


def progress_after(call: Call) -> Iterator[Progress]:
    """Where the recipient stood after this call: what was unknown may have been settled since."""
    for mark in (call.returned, call.unknown, call.ended):
        if mark is None:
            continue
        returned = mark.kind == Kind.RETURNED
        stage = {Kind.RETURNED: Stage.RETURNED, Kind.UNKNOWN: Stage.UNKNOWN}.get(
            Kind(mark.kind), Stage.ENDED
        )
        yield Progress(
            grant_no=mark.grant_no,
            stage=stage,
            epoch=mark.epoch,
            attempt=mark.attempt - returned,
            run_attempt=MOST_ATTEMPTS if mark.late else mark.run_attempt - returned,
            outcome=None if returned else mark.outcome,
            ended_at=None if returned else instant(mark.then),
            not_before=instant(mark.then) if returned else None,
        )
