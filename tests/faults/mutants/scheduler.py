"""Schedulers that are wrong in one way each; the tests of the real one must find them out."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis.postgres import Connection
from chassis.records import Received
from contracts.calls import CallCompleted, CallReturned
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from services.scheduler import handlers
from services.scheduler.decider import Decider
from services.scheduler.decision import Decided, Decision
from services.scheduler.loading import Calls, Woken
from tests.scheduler_story import ACCOUNT
from tests.scheduler_world import Scheduler

COUNTER = "CREATE TABLE IF NOT EXISTS slots (batch_id uuid PRIMARY KEY, taken integer NOT NULL)"
CHANGE = (
    "INSERT INTO slots AS s (batch_id, taken) VALUES ($1, $2) "
    "ON CONFLICT (batch_id) DO UPDATE SET taken = s.taken + excluded.taken"
)


async def _change(conn: Connection, events: Sequence[Event]) -> None:
    await conn.execute(COUNTER)
    changes: dict[UUID, int] = {}
    for event in events:
        match event:
            case RecipientQueued():
                changes[event.batch_id] = changes.get(event.batch_id, 0) + 1
            case CallCompleted() | CallReturned():
                changes[event.batch_id] = changes.get(event.batch_id, 0) - 1
            case _:
                pass
    for batch_id in sorted(changes):
        await conn.execute(CHANGE, batch_id, changes[batch_id])


class _FromCounter(Decision):
    async def make(self) -> Decided:
        decided = await super().make()
        await _change(self.conn, decided.events)
        return decided

    async def _slots_taken(
        self,
        woken: Sequence[Woken],  # noqa: ARG002 - it trusts its own count
    ) -> Mapping[str, Calls]:
        await self.conn.execute(COUNTER)
        rows = await self.conn.fetch("SELECT batch_id, taken FROM slots")
        return {ACCOUNT: {row["batch_id"]: row["taken"] for row in rows}}


class _Lockless(Decider):
    async def _lock(self, conn: Connection, accounts: Sequence[str]) -> None:
        pass


class _Counting(Decider):
    decision = _FromCounter


async def _fold(conn: Connection, records: list[Received]) -> None:
    await handlers.fold(conn, records)
    events = [record.event for record in records]
    await _change(conn, [event for event in events if not isinstance(event, RecipientQueued)])


TAKES_NO_LOCK = Scheduler(_Lockless)
"""Two of it look at the same free slots."""

FREES_A_SLOT_TWICE = Scheduler(_Counting, _fold)
"""Keeps a counter, and frees a slot with every end: the unknown one, then the true one."""
