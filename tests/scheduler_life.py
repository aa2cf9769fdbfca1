"""An account in memory: the scheduler's pure rules, with neither database nor clock.

What happens comes in as it would from the log; `decide` does what a decision does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.batches import BatchCommand, BatchCreated, BatchImportFailed
from contracts.calls import CallCompleted, CallReturned, ReturnReason
from contracts.dispatch import RecipientQueued
from contracts.lifecycle import ALLOWED
from contracts.outcomes import RecipientStatus, status_of
from contracts.progress import Evidence, Progress, Stage, called_again_from, evolve
from contracts.status import BatchStatusEvent, RecipientRemoved, RecipientsAddAccepted
from contracts.statuses import Action, BatchStatus
from services.scheduler.domain import batch as batches
from services.scheduler.domain.batch import Batch, Status
from services.scheduler.domain.faults import AGENT_INACTIVE
from services.scheduler.domain.grants import (
    Candidate,
    Runnable,
    free_slots,
    grants,
    may_grant,
    stopped,
)
from services.scheduler.domain.lifecycle import Work, due
from services.scheduler.domain.verdicts import verdict
from tests.scheduler_story import NOON, Story

_S = BatchStatus
UNASKED = {
    (_S.SCHEDULED, _S.RUNNING),
    (_S.RUNNING, _S.COMPLETED),
    (_S.RUNNING, _S.FAILED),
    (_S.PAUSED, _S.FAILED),  # its carrier refused in a call that was under way
    *((status, _S.COMPLETED) for status in (_S.SCHEDULED, _S.PENDING, _S.PAUSED)),  # its end came
}
AFTER = {
    Action.START: _S.RUNNING,
    Action.PAUSE: _S.PAUSED,
    Action.RESUME: _S.RUNNING,
    Action.CANCEL: _S.CANCELLED,
    Action.RETRY: _S.SCHEDULED,
}


@dataclass
class Person:
    recipient_id: UUID
    batch_id: UUID
    addition_id: UUID
    progress: Progress = Progress()  # noqa: RUF009 - frozen
    removed: bool = False
    told: list[Evidence] = field(default_factory=list)


@dataclass
class Life:
    limit: int = 2
    at: datetime = NOON
    agent_usable: bool = True
    batches: dict[UUID, Batch] = field(default_factory=dict)
    people: dict[UUID, Person] = field(default_factory=dict)
    calls: list[RecipientQueued] = field(default_factory=list)
    lost: list[RecipientQueued] = field(default_factory=list)
    """Ended as unknown; the truth may still come."""
    said: list[BatchStatusEvent] = field(default_factory=list)

    # what comes in

    def create(self, created: BatchCreated) -> None:
        addition = created.addition.addition_id
        before = Batch(created, Status(), incomplete=frozenset({addition}))
        self._take(created.batch_id, verdict(before, created, self.at), before)
        self.decide()

    def land(self, batch_id: UUID, addition_id: UUID, recipients: Iterable[UUID]) -> None:
        batch = self.batches[batch_id]
        for recipient_id in recipients:
            self.people[recipient_id] = Person(recipient_id, batch_id, addition_id)
        left = batch.incomplete - {addition_id}
        self.batches[batch_id] = replace(batch, incomplete=left, landed=not left)
        self.decide()

    def ask(self, command: BatchCommand) -> BatchStatusEvent:
        if isinstance(command, BatchImportFailed):
            lost = replace(self.batches[command.batch_id], import_failed=True)
            self.batches[command.batch_id] = lost
        before = self._facts(self.batches[command.batch_id])
        said = verdict(before, command, self.at)
        self._take(before.batch_id, said, before)
        self.decide()
        return said

    def delete(self, batch_id: UUID) -> None:
        self.batches[batch_id] = replace(self.batches[batch_id], deleted=True)
        self.decide()

    def end(self, event: CallCompleted | CallReturned) -> None:
        person = self.people[event.recipient_id]
        person.told.append(event)
        person.progress = evolve(person.progress, event)
        batch = self.batches[person.batch_id]
        fatal = isinstance(event, CallReturned) and event.reason is ReturnReason.FATAL_FAULT
        if fatal and (batch.fault is None or batch.fault[0] <= event.epoch):
            fault = event.epoch, "carrier_unauthorized"
            self.batches[person.batch_id] = replace(batch, fault=fault)
        self.decide()

    def wait(self, time: timedelta) -> None:
        self.at += time
        self.decide()

    # what comes of it

    def decide(self) -> list[RecipientQueued]:
        for batch_id in sorted(self.batches):
            batch = self._facts(self.batches[batch_id])
            while event := due(batch, self._work(batch), self.at):
                assert (batch.status, event.status) in UNASKED
                batch = self._take(batch_id, event, batch)
        granted = self._grant()
        for grant in granted:
            person = self.people[grant.recipient_id]
            person.told.append(grant)
            person.progress = evolve(person.progress, grant)
            self.calls.append(grant)
        assert not granted or self.taken <= self.limit
        return granted

    def _grant(self) -> list[RecipientQueued]:
        free = free_slots(self.limit, self.taken)
        running = [self._facts(b) for b in self.batches.values() if may_grant(b, self.at)]
        runnable = [
            Runnable(
                batch,
                sum(p.progress.in_flight for p in self.of(batch.batch_id)),
                list(self.candidates(batch)),
                {"": self.at + timedelta(days=1)},
            )
            for batch in running
        ]
        usable, failed = stopped(runnable, limit=self.limit, free=free, at=self.at)
        for event in failed:
            self._take(event.batch_id, event, self.batches[event.batch_id])
        return grants(usable, limit=self.limit, free=free, at=self.at)

    def candidates(self, batch: Batch) -> Iterator[Candidate]:
        for person in self.of(batch.batch_id):
            instant = self.callable_from(batch, person)
            here = person.addition_id not in batch.incomplete
            if here and instant is not None and instant <= self.at:
                yield Candidate(person.recipient_id, "s", person.progress)

    def callable_from(self, batch: Batch, person: Person) -> datetime | None:
        """When it may be called, first or again; None: not, as things stand."""
        if person.progress.stage in {Stage.NONE, Stage.RETURNED}:
            return person.progress.not_before or NOON
        return called_again_from(person.progress, batch.rules)

    def _work(self, batch: Batch) -> Work:
        people = self.of(batch.batch_id)
        reached = [self._reached(person) for person in people]
        return Work(
            in_flight=sum(person.progress.in_flight for person in people),
            waiting=any(self.callable_from(batch, person) is not None for person in people),
            completed=reached.count(True),
            not_completed=reached.count(False),
        )

    def _facts(self, batch: Batch) -> Batch:
        people = self.of(batch.batch_id)
        free = (p for p in people if not p.progress.attempt and not p.progress.in_flight)
        return replace(
            batch,
            failures=sum(not self._reached(person) for person in people),
            present=frozenset(person.recipient_id for person in people),
            removable=frozenset(person.recipient_id for person in free),
            unusable=None if self.agent_usable else AGENT_INACTIVE,
        )

    def _reached(self, person: Person) -> bool:
        outcome = person.progress.outcome
        return outcome is not None and status_of(outcome) is RecipientStatus.COMPLETED

    def _take(self, batch_id: UUID, event: BatchStatusEvent, before: Batch) -> Batch:
        self.said.append(event)
        batch = batches.evolve(before, event)
        match event:
            case RecipientRemoved():
                self.people[event.recipient_id].removed = True
            case RecipientsAddAccepted():
                assert not batch.landed
            case _:
                pass
        self.batches[batch_id] = batch
        return batch

    # what is to be seen

    def of(self, batch_id: UUID) -> list[Person]:
        return [p for p in self.people.values() if p.batch_id == batch_id and not p.removed]

    @property
    def taken(self) -> int:
        return sum(person.progress.in_flight for person in self.people.values())

    def is_lawful(self, before: BatchStatus, action: Action, said: BatchStatusEvent) -> bool:
        """Done where the table allows it, else the status is as it was."""
        if type(said).__name__ == "BatchActionRejected":
            return said.status is before
        return action in ALLOWED[before] and said.status is AFTER[action]

    def refolded(self) -> "Life":
        """As a process would find it that read everything anew, every event twice."""
        statuses: dict[UUID, Status] = {}
        for event in [*self.said, *self.said]:
            known = statuses.get(event.batch_id, Status())
            if event.sequence > known.sequence:
                statuses[event.batch_id] = batches.status_in(event)
        people = {}
        for recipient_id, person in self.people.items():
            progress = Progress()
            for evidence in [*person.told, *person.told]:
                progress = evolve(progress, evidence)
            people[recipient_id] = replace(person, progress=progress)
        again = {b: replace(batch, now=statuses[b]) for b, batch in self.batches.items()}
        return replace(self, batches=again, people=people)


def landed(life: Life, story: Story, **facts: object) -> None:
    """A batch of the story, with all of its rows."""
    life.create(story.created(**facts))
    rows = range(1, story.recipients + 1)
    life.land(story.batch_id, story.addition_id, [story.recipient(row) for row in rows])
