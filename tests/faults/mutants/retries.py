"""Schedulers that remember at the retry whom it is for, in place of asking at each grant."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.progress import called_again_from
from contracts.status import BatchRetried, BatchStatusEvent
from services.scheduler.domain.batch import Batch
from tests.scheduler_life import Life, Person


@dataclass
class RemembersWhomToRetry(Life):
    """The set is made with the verdict: what is learned later changes nothing."""

    remembered: dict[UUID, int] = field(default_factory=dict)
    """With the grant that was the last one then."""

    def _take(self, batch_id: UUID, event: BatchStatusEvent, before: Batch) -> Batch:
        batch = super()._take(batch_id, event, before)
        if isinstance(event, BatchRetried):
            self.remembered = {
                person.recipient_id: person.progress.grant_no
                for person in self.of(batch_id)
                if called_again_from(person.progress, batch.rules) is not None
            }
        return batch

    def callable_from(self, batch: Batch, person: Person) -> datetime | None:
        if person.progress.outcome is None:
            return super().callable_from(batch, person)
        remembered = self.remembered.get(person.recipient_id)
        return self.at if remembered == person.progress.grant_no else None
