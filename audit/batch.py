"""A batch as its whole log tells it, laid out for questions about one of its instants."""

from bisect import bisect_right
from dataclasses import dataclass, field
from uuid import UUID

from audit.book import BatchBook, Heard
from audit.findings import Told
from audit.marks import Mark, micros
from contracts.batches import BatchCreated, RetryPolicy
from contracts.gates import BatchGateClosed
from contracts.progress import Rules
from contracts.status import BatchCompleted, BatchStatusEvent, RecipientRemoved
from contracts.statuses import BatchStatus


@dataclass(frozen=True, slots=True)
class Batch:
    book: BatchBook
    created: BatchCreated | None
    statuses: tuple[Heard[BatchStatusEvent], ...]
    """By sequence."""
    instants: tuple[int, ...]
    """When each was said."""
    gates: tuple[tuple[int, Heard[BatchGateClosed]], ...]
    """When each was said."""
    removed: dict[UUID, tuple[int, Told]]
    complete: frozenset[int] = field(default_factory=frozenset)
    """Additions all of whose chunks have landed."""
    expected: frozenset[int] = field(default_factory=frozenset)
    """Additions that are the batch's: its first one, and those that were accepted."""

    @property
    def now(self) -> Heard[BatchStatusEvent] | None:
        return self.statuses[-1] if self.statuses else None

    def at(self, instant: int) -> BatchStatusEvent | None:
        """The status in force."""
        place = bisect_right(self.instants, instant)
        return self.statuses[place - 1].event if place else None

    def granting(self, queued: Mark) -> BatchStatusEvent | None:
        """The status that this was granted under; None: there is none that fits."""
        status = self.at(queued.at)
        fits = status is not None and status.epoch == queued.epoch
        return status if fits and status and status.status is BatchStatus.RUNNING else None

    def rules(self, status: BatchStatusEvent) -> Rules:
        policy = RetryPolicy() if self.created is None else self.created.retry_policy
        return Rules(policy, status.retry_epoch, status.unknown_retry_epoch)

    @property
    def completed(self) -> Heard[BatchStatusEvent] | None:
        """Its end, if it is COMPLETED."""
        now = self.now
        if now is None or now.event.status is not BatchStatus.COMPLETED:
            return None
        return next((h for h in self.statuses[::-1] if isinstance(h.event, BatchCompleted)), None)


def laid_out(book: BatchBook) -> Batch:
    statuses = tuple(sorted(book.statuses.values(), key=lambda heard: heard.event.sequence))
    named = {addition.addition_id: addition for addition, _ in book.named()}
    landed = {
        place
        for addition_id, place in book.additions.items()
        if addition_id in named
        and named[addition_id].chunks
        == sum(c.addition_id == addition_id and c.of_people for c in book.chunks.values())
    }
    first = next(
        (a.addition_id for a, h in book.named() if isinstance(h.event, BatchCreated)), None
    )
    taken = {first} | {getattr(h.event, "addition_id", None) for h in statuses}
    return Batch(
        book=book,
        created=book.created,
        statuses=statuses,
        instants=tuple(micros(heard.event.at) for heard in statuses),
        gates=tuple(
            sorted(((micros(h.event.at), h) for h in book.gates.values()), key=lambda g: g[0])
        ),
        removed={
            heard.event.recipient_id: (micros(heard.event.at), heard.told)
            for heard in statuses
            if isinstance(heard.event, RecipientRemoved)
        },
        complete=frozenset(landed),
        expected=frozenset(p for a, p in book.additions.items() if a in taken),
    )
