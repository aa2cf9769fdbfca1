"""One decision on one account; its caller holds the account's lock, else slots go out twice.

State is read on the database's clock.  What is decided is folded as it would be if it were read
from the log, and goes into the outbox in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis import outbox
from chassis.postgres import Connection
from contracts.batches import RecipientRemovalRequested
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.status import BatchStatusEvent
from services.scheduler import store
from services.scheduler.domain.batch import Batch, evolve
from services.scheduler.domain.grants import Runnable, free_slots, grants, may_grant
from services.scheduler.domain.hours import Hours, Timetable
from services.scheduler.domain.lifecycle import Work, due, wakes_at
from services.scheduler.domain.verdicts import verdict
from services.scheduler.handlers import apply
from services.scheduler.store import Loaded, Q

WRITER: Final = "scheduler"

Calls = Mapping[UUID, int]
"""Per batch, how many are in flight."""


@dataclass(frozen=True, slots=True)
class Decided:
    events: list[Event]
    next_at: datetime | None
    """When the account is to be looked at again, if nothing happens before."""


@dataclass(slots=True)
class Decision:
    conn: Connection
    account_id: str
    timetable: Timetable
    at: datetime = field(init=False)
    limit: int | None = field(init=False)
    calls: Calls = field(init=False)

    async def make(self) -> Decided:
        now = await self.conn.fetchrow(Q.account_now, self.account_id)
        assert now is not None  # noqa: S101 - it selects no rows, it answers
        self.at, self.limit = now["at"], now["concurrency"]
        loaded = await store.load_batches(self.conn, self.account_id)
        self.calls = await self._slots_taken()
        judged = [it for it in loaded if not it.quarantined]
        batches, verdicts = await self._answer(judged)
        batches, unasked = await self._move_on(batches)
        turns = {it.batch.batch_id: it.granted_at for it in judged if it.granted_at}
        running = [batch for batch in batches if may_grant(batch, self.at)]
        queued, opens_at = await self._grant(running, turns)
        events: list[Event] = [*verdicts, *unasked, *queued]
        await outbox.put(self.conn, events, writer=WRITER)
        instants = [instant for batch in batches for instant in wakes_at(batch, self.at)]
        return Decided(events, min([*instants, *opens_at], default=None))

    async def _slots_taken(self) -> Calls:
        """Counted from rows, never kept: a counter that is wrong once stays wrong."""
        return await store.in_flight(self.conn, self.account_id)

    async def _answer(self, loaded: Sequence[Loaded]) -> tuple[list[Batch], list[BatchStatusEvent]]:
        """Every pending command gets its verdict, in order."""
        ended = [it.batch.batch_id for it in loaded if it.commands and it.batch.ended]
        tallies = await store.tally(self.conn, ended)
        asked = [
            command.recipient_id
            for it in loaded
            for command in it.commands
            if isinstance(command, RecipientRemovalRequested)
        ]
        removable = await store.removable(self.conn, asked)
        batches, events = [], []
        for it in loaded:
            _, failures = tallies.get(it.batch.batch_id, (0, 0))
            batch = replace(it.batch, failures=failures, removable=removable)
            for command in it.commands:
                event = verdict(batch, command, self.at)
                batch = evolve(batch, event)
                events.append(event)
            batches.append(batch)
        await apply(self.conn, events)
        return batches, events

    async def _move_on(
        self, batches: Sequence[Batch]
    ) -> tuple[list[Batch], list[BatchStatusEvent]]:
        """What is due unasked: starts, failures, ends."""
        work = await self._work(batches)
        moved, events = [], []
        for before in batches:
            batch = before
            while event := due(batch, work[batch.batch_id], self.at):
                batch = evolve(batch, event)
                events.append(event)
            moved.append(batch)
        await apply(self.conn, events)
        return moved, events

    async def _work(self, batches: Sequence[Batch]) -> dict[UUID, Work]:
        """Rows are asked only of batches that may be at their end."""
        quiet = [b for b in batches if not self.calls.get(b.batch_id) and not b.ended]
        asked = [b for b in quiet if b.landed or b.expired(self.at)]
        waiting = await store.still_waiting(self.conn, asked)
        ending = [b.batch_id for b in asked if b.batch_id not in waiting or b.expired(self.at)]
        tallies = await store.tally(self.conn, ending)
        known = {b.batch_id for b in asked}
        work = {}
        for batch in batches:
            completed, not_completed = tallies.get(batch.batch_id, (0, 0))
            work[batch.batch_id] = Work(
                in_flight=self.calls.get(batch.batch_id, 0),
                waiting=batch.batch_id not in known or batch.batch_id in waiting,
                completed=completed,
                not_completed=not_completed,
            )
        return work

    async def _grant(
        self, running: Sequence[Batch], turns: Mapping[UUID, datetime]
    ) -> tuple[list[RecipientQueued], list[datetime]]:
        """The free slots go out; and the instants at which more could be granted."""
        free = free_slots(self.limit or 0, sum(self.calls.values()))
        if not free or not running:
            return [], []  # a call that ends wakes the account
        hours = await self._hours(running)
        open_now = [(b, z) for b in running for z, at in hours[b.batch_id].items() if at.open]
        found = await store.candidates(self.conn, open_now, at=self.at, most=free)
        in_turn = sorted(running, key=lambda b: turns.get(b.batch_id, _NEVER))
        queued = grants(
            [
                Runnable(
                    batch=batch,
                    in_flight=self.calls.get(batch.batch_id, 0),
                    candidates=found.get(batch.batch_id, ()),
                    closes={z: at.until for z, at in hours[batch.batch_id].items()},
                )
                for batch in in_turn
            ],
            limit=self.limit or 0,
            free=free,
            at=self.at,
        )
        await self._take_turns(queued)
        next_due = await store.next_due(self.conn, open_now, self.at)
        opens = [at.until for zones in hours.values() for at in zones.values() if not at.open]
        return queued, opens if next_due is None else [*opens, next_due]

    async def _hours(self, running: Sequence[Batch]) -> dict[UUID, dict[str, Hours]]:
        zones = await store.zones_of(self.conn, [batch.batch_id for batch in running])
        return {
            batch.batch_id: {
                key: self.timetable.hours(batch.created.window, key, self.at)
                for key in zones.get(batch.batch_id, ())
            }
            for batch in running
        }

    async def _take_turns(self, queued: Sequence[RecipientQueued]) -> None:
        if queued:
            await apply(self.conn, queued)
            granted = sorted({event.batch_id for event in queued})
            await self.conn.execute(Q.take_turns, granted, self.at)


_NEVER = datetime.min.replace(tzinfo=UTC)
