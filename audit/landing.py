"""Every accepted recipient is in the log, once, before anybody of its list is called."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from audit.batch import Batch
from audit.book import Chunk, Heard
from audit.findings import Told, check
from audit.marks import micros
from audit.scene import Scene
from contracts.batches import Addition, BatchCommand, BatchCreated, BatchImportFailed
from contracts.status import BatchActionRejected, BatchStarted, RecipientsAddAccepted

LANDED: Final = check(
    "landed",
    "The chunks of a list are as many as were named, hold as many people, and are all there"
    " before the batch starts; those of its errors once it is completed.",
)


def judge_batch(batch: Batch, scene: Scene) -> None:
    chunks: dict[UUID, list[Chunk]] = {}
    for chunk in batch.book.chunks.values():
        chunks.setdefault(chunk.addition_id, []).append(chunk)
    named = {addition.addition_id: (addition, heard) for addition, heard in batch.book.named()}
    scene.findings.looked(LANDED, len(batch.book.chunks))
    for addition, heard in named.values():
        _judge(addition, heard, chunks.get(addition.addition_id, ()), batch, scene)
    for addition_id, found in chunks.items():
        if addition_id not in named:
            _of_no_list(found, scene)
    _rows_count_on(named, chunks, scene)


def _of_no_list(chunks: Sequence[Chunk], scene: Scene) -> None:
    """The list is named by what is said together with its first chunk."""
    at = max(micros(chunk.told.at) for chunk in chunks)
    if scene.owes_its_like(at):
        told = [chunk.told for chunk in chunks]
        scene.findings.breach(LANDED, "chunks of a list that no command names", *told)
    else:
        scene.findings.open(LANDED, "its list is beyond the end that was read")


def _judge(
    addition: Addition,
    command: Heard[BatchCommand],
    chunks: Sequence[Chunk],
    batch: Batch,
    scene: Scene,
) -> None:
    findings = scene.findings
    people = [chunk for chunk in chunks if chunk.of_people]
    rejected = [chunk for chunk in chunks if not chunk.of_people]
    for found, count in ((people, addition.chunks), (rejected, addition.rejection_chunks)):
        for chunk in found:
            if chunk.chunks != count or chunk.chunk_no >= count:
                what = f"chunk {chunk.chunk_no} of {chunk.chunks}, {count} were named"
                findings.breach(LANDED, what, command.told, chunk.told)
    if chunks and not isinstance(command.event, BatchCreated):
        _was_accepted(addition, chunks, batch, scene)
    complete = len(people) == addition.chunks and len(rejected) == addition.rejection_chunks
    if not complete:
        _is_awaited(addition, command, len(people), batch, scene)
        return
    counted = sum(chunk.count for chunk in people), sum(chunk.count for chunk in rejected)
    if counted != (addition.recipients, addition.rejected):
        what = f"{counted} people and rejected rows, {addition.recipients} and {addition.rejected}"
        findings.breach(LANDED, f"{what} were named", command.told)


def _rows_count_on(
    named: Mapping[UUID, tuple[Addition, Heard[BatchCommand]]],
    chunks: Mapping[UUID, Sequence[Chunk]],
    scene: Scene,
) -> None:
    """Through the chunks of a list, and from one list to the next: no row is given twice."""
    in_turn = sorted(named.values(), key=lambda it: it[1].event.command_no)
    last = 0
    for addition, command in in_turn:
        found = [chunk for chunk in chunks.get(addition.addition_id, ()) if chunk.of_people]
        for chunk in sorted(found, key=lambda chunk: chunk.chunk_no):
            if chunk.rows[0] <= last or chunk.rows[1] > (addition.last_row or chunk.rows[1]):
                what = f"rows {chunk.rows[0]} to {chunk.rows[1]} come after {last}"
                scene.findings.breach(LANDED, what, command.told, chunk.told)
            last = max(last, chunk.rows[1])


def _was_accepted(addition: Addition, chunks: Sequence[Chunk], batch: Batch, scene: Scene) -> None:
    late = [chunk.told for chunk in chunks if scene.owes_its_cause(micros(chunk.told.at))]
    if addition.addition_id not in _taken(batch) and late:
        scene.findings.breach(LANDED, "streamed before it was accepted", *late)


def _taken(batch: Batch) -> set[UUID]:
    """Additions that were accepted."""
    events = (heard.event for heard in batch.statuses)
    return {event.addition_id for event in events if isinstance(event, RecipientsAddAccepted)}


def _is_awaited(
    addition: Addition, command: Heard[BatchCommand], people: int, batch: Batch, scene: Scene
) -> None:
    refused = any(
        isinstance(heard.event, BatchActionRejected)
        and heard.event.command_id == command.event.command_id
        for heard in batch.statuses
    )
    started = _unasked_start(batch) if isinstance(command.event, BatchCreated) else None
    early = started is not None and scene.owes_its_cause(micros(started.event.at))
    if started is not None and early and people < addition.chunks:
        what = "the batch started before its list had landed"
        scene.findings.breach(LANDED, what, command.told, started.told)
    elif batch.book.deleted or _is_lost(addition, batch.book.commands) or refused:
        return
    elif (completed := _end_of(addition, command, batch, scene)) is not None:
        what = "the batch is completed, and not all chunks that were named have come"
        scene.findings.breach(LANDED, what, command.told, completed)
    else:
        scene.findings.open(LANDED, "chunks still to come")


def _end_of(
    addition: Addition, command: Heard[BatchCommand], batch: Batch, scene: Scene
) -> Told | None:
    """The completion by which this list is owed whole."""
    is_its_own = isinstance(command.event, BatchCreated) or addition.addition_id in _taken(batch)
    completed = batch.completed
    if not is_its_own or completed is None:
        return None
    return completed.told if scene.owes_its_like(micros(completed.event.at)) else None


def _unasked_start(batch: Batch) -> Heard[BatchStarted] | None:
    for heard in batch.statuses:
        if isinstance(heard.event, BatchStarted) and heard.event.command_id is None:
            return Heard(heard.event, heard.told, heard.content)
    return None


def _is_lost(addition: Addition, commands: Mapping[UUID, Heard[BatchCommand]]) -> bool:
    lost = (h.event for h in commands.values() if isinstance(h.event, BatchImportFailed))
    return any(event.addition_id == addition.addition_id for event in lost)
