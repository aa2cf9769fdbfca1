"""One decision on some accounts; its caller holds their locks, else slots go out twice.

State is read on the database's clock.  What is decided is folded as it would be if it were read
from the log, and goes into the outbox in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis import outbox
from chassis.postgres import Connection
from chassis.telemetry import current_traceparent, start_span
from contracts.batches import BatchCommand, RecipientRemovalRequested
from contracts.codec import encode
from contracts.event import Event
from contracts.status import BatchStatusEvent
from contracts.statuses import BatchStatus
from contracts.topics import topic_for
from services.scheduler import loading, store
from services.scheduler.domain.batch import Batch, evolve
from services.scheduler.domain.grants import may_grant
from services.scheduler.domain.hours import Timetable
from services.scheduler.domain.lifecycle import Work, due, wakes_at
from services.scheduler.domain.verdicts import verdict
from services.scheduler.granting import Granted, Granting, nap
from services.scheduler.handlers import apply
from services.scheduler.loading import Calls, Creations, Woken
from services.scheduler.store import Q, columns

WRITER: Final = "scheduler"

Commands = Mapping[UUID, Sequence[BatchCommand]]


@dataclass(frozen=True, slots=True)
class Decided:
    events: list[Event]
    next_at: datetime | None
    """When one of the accounts is to be looked at again, if nothing happens before."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process need not ask twice."""

    timetable: Timetable = field(default_factory=Timetable)
    creations: Creations = field(default_factory=Creations)


@dataclass(slots=True)
class Decision:
    conn: Connection
    accounts: Sequence[str]
    memory: Memory
    at: datetime = field(init=False)
    calls: Mapping[str, Calls] = field(init=False)

    async def make(self) -> Decided:
        self.at, woken = await loading.begin(self.conn, self.accounts)
        self.calls = await self._slots_taken(woken)
        asked = await loading.pending(self.conn, [it.account_id for it in woken if it.asked])
        loaded = await loading.load_batches(
            self.conn, self.accounts, self.at, asked.of_batch, self.memory.creations
        )
        batches, verdicts = await self._answer([it.batch for it in loaded], asked.of_batch)
        batches, unasked = await self._move_on(batches)
        granted = await Granting(
            conn=self.conn,
            timetable=self.memory.timetable,
            at=self.at,
            limits={it.account_id: it.limit for it in woken},
            calls=self.calls,
            turns={it.batch.batch_id: it.granted_at for it in loaded},
        ).grant([batch for batch in batches if may_grant(batch, self.at)])
        await apply(self.conn, granted.failed)
        await apply(self.conn, granted.queued)
        events: list[Event] = [*verdicts, *unasked, *granted.failed, *granted.queued]
        await self._say(events, {it.account_id: it.cause for it in woken})
        for account_id in asked.unfinished | loading.unfinished(loaded):
            granted.look_again(account_id, self.at)
        due_ones = {it.batch.batch_id for it in loaded if it.due}
        waiting = [batch for batch in batches if batch.batch_id in due_ones]
        return Decided(events, await self._close(granted, batches, waiting))

    async def _slots_taken(self, woken: Sequence[Woken]) -> Mapping[str, Calls]:
        """Counted from rows, never kept: a counter that is wrong once stays wrong."""
        return {it.account_id: it.calls for it in woken}

    def _in_flight(self, batch: Batch) -> int:
        return self.calls.get(batch.account_id, {}).get(batch.batch_id, 0)

    async def _answer(
        self, before: Sequence[Batch], commands: Commands
    ) -> tuple[list[Batch], list[BatchStatusEvent]]:
        """Every pending command gets its verdict, in order."""
        ended = [b.batch_id for b in before if commands.get(b.batch_id) and b.ended]
        tallies = await store.tally(self.conn, ended)
        leaving = [
            (command.batch_id, command.recipient_id)
            for asked in commands.values()
            for command in asked
            if isinstance(command, RecipientRemovalRequested)
        ]
        there = await store.removable(self.conn, leaving)
        batches, events = [], []
        for it in before:
            _, failures = tallies.get(it.batch_id, (0, 0))
            found = there.get(it.batch_id, {})
            removable = frozenset(one for one, may_go in found.items() if may_go)
            batch = replace(it, failures=failures, present=frozenset(found), removable=removable)
            for command in commands.get(it.batch_id, ()):
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
        """Rows are asked only of batches that may be at their end, or may have to fail."""
        quiet = [b for b in batches if not self._in_flight(b) and not b.ended]
        asked = [b for b in quiet if b.landed or b.expired(self.at)]
        known = {b.batch_id for b in asked}
        asked += [b for b in batches if b.unusable and not b.ended and b.batch_id not in known]
        waiting = await store.still_waiting(self.conn, asked)
        ending = [
            b.batch_id
            for b in asked
            if not self._in_flight(b) and (b.batch_id not in waiting or b.expired(self.at))
        ]
        tallies = await store.tally(self.conn, ending)
        known = {b.batch_id for b in asked}
        work = {}
        for batch in batches:
            completed, not_completed = tallies.get(batch.batch_id, (0, 0))
            work[batch.batch_id] = Work(
                in_flight=self._in_flight(batch),
                waiting=batch.batch_id not in known or batch.batch_id in waiting,
                completed=completed,
                not_completed=not_completed,
            )
        return work

    async def _say(self, events: Sequence[Event], causes: Mapping[str, str | None]) -> None:
        """Each account's events go on with the trace of what woke it."""
        traces = {}
        for account_id in {event.account_id for event in events}:
            with start_span("decide", causes[account_id]):
                traces[account_id] = current_traceparent()
        await outbox.put_encoded(
            self.conn,
            [
                (
                    topic_for(event, writer=WRITER).name,
                    encode(event, source=WRITER, traceparent=traces[event.account_id]),
                )
                for event in events
            ],
        )

    async def _close(
        self, granted: Granted, batches: Sequence[Batch], due_ones: Sequence[Batch]
    ) -> datetime | None:
        """Turns and naps are noted, and when to look at each account again."""
        for batch in due_ones:
            if not batch.ended and batch.status is not BatchStatus.RUNNING:
                granted.naps[batch.batch_id] = nap(batch, self.at)
        for batch in batches:
            if batch.status is BatchStatus.RUNNING and batch.batch_id not in granted.naps:
                for instant in wakes_at(batch, self.at):
                    granted.look_again(batch.account_id, instant)
        turns = sorted({event.batch_id for event in granted.queued})
        if turns or granted.naps:
            naps = columns(sorted(granted.naps.items()), 2)
            await self.conn.execute(Q.close, self.at, turns, *naps)
        again = [granted.again.get(account_id) for account_id in self.accounts]
        rows = await self.conn.fetch(Q.set_wakes, self.accounts, again, self.at)
        return min((row["due_at"] for row in rows), default=None)
