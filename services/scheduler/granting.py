"""The free slots of each account go out to its running batches; whoever has no use for one naps.

Its caller holds the accounts' locks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from chassis.postgres import Connection
from contracts.dispatch import RecipientQueued
from contracts.status import BatchFailed
from services.scheduler import store
from services.scheduler.domain.batch import Batch
from services.scheduler.domain.grants import Candidate, Runnable, free_slots, grants, stopped
from services.scheduler.domain.hours import Hours, Timetable, has_own_zone
from services.scheduler.domain.lifecycle import wakes_at
from services.scheduler.loading import Calls

WITHOUT_END: Final = timedelta(days=30)
"""A batch of which only news can make anything is looked at this seldom."""

Found = Mapping[UUID, Sequence[Candidate]]
Times = Mapping[UUID, Mapping[str, Hours]]
"""Per batch and zones."""


def nap(batch: Batch, at: datetime, *instants: datetime) -> datetime:
    """Until when the batch has nothing to do if nothing is heard of it."""
    return min([*instants, *wakes_at(batch, at)], default=at + WITHOUT_END)


@dataclass(slots=True)
class Granted:
    queued: list[RecipientQueued] = field(default_factory=list)
    failed: list[BatchFailed] = field(default_factory=list)
    naps: dict[UUID, datetime] = field(default_factory=dict)
    """Of batches with nothing to do: until when."""
    again: dict[str, datetime] = field(default_factory=dict)
    """Of each account, when it could grant more."""

    def look_again(self, account_id: str, at: datetime) -> None:
        self.again[account_id] = min(at, self.again.get(account_id, at))


@dataclass(frozen=True, slots=True)
class Granting:
    conn: Connection
    timetable: Timetable
    at: datetime
    limits: Mapping[str, int]
    calls: Mapping[str, Calls]
    turns: Mapping[UUID, datetime | None]
    """When each batch was last granted a slot."""

    async def grant(self, running: Sequence[Batch]) -> Granted:
        free = {
            account: free_slots(limit, sum(self._calls(account).values()))
            for account, limit in self.limits.items()
        }
        running = [batch for batch in running if free[batch.account_id]]
        times = await self._hours(running)
        open_now = [(b, z) for b in running for z, at in times[b.batch_id].items() if at.open]
        found = await store.candidates(self.conn, open_now, at=self.at, most=free)
        granted = Granted()
        for account_id in sorted({batch.account_id for batch in running}):
            ours = [batch for batch in running if batch.account_id == account_id]
            self._deal(granted, self._runnable(ours, times, found), free[account_id], account_id)
            free[account_id] -= sum(e.account_id == account_id for e in granted.queued)
        gone = {event.batch_id for event in granted.failed}
        idle = [
            batch
            for batch in running
            if batch.batch_id not in gone
            and (free[batch.account_id] or not found.get(batch.batch_id))
        ]
        await self._rest(granted, idle, times, found)
        return granted

    def _calls(self, account_id: str) -> Calls:
        return self.calls.get(account_id, {})

    def _runnable(self, batches: Sequence[Batch], times: Times, found: Found) -> list[Runnable]:
        """Whoever was served longest ago comes first."""
        return [
            Runnable(
                batch=batch,
                in_flight=self._calls(batch.account_id).get(batch.batch_id, 0),
                candidates=found.get(batch.batch_id, ()),
                closes={zones: at.until for zones, at in times[batch.batch_id].items()},
            )
            for batch in sorted(batches, key=lambda b: self.turns.get(b.batch_id) or _NEVER)
        ]

    def _deal(
        self, granted: Granted, runnable: Sequence[Runnable], free: int, account_id: str
    ) -> None:
        limit = self.limits[account_id]
        usable, failed = stopped(runnable, limit=limit, free=free, at=self.at)
        granted.failed += failed
        granted.queued += grants(usable, limit=limit, free=free, at=self.at)

    async def _rest(
        self, granted: Granted, batches: Sequence[Batch], times: Times, found: Found
    ) -> None:
        """Those that could do more than they found to do: when, and who naps until then."""
        open_now = [(b, z) for b in batches for z, at in times[b.batch_id].items() if at.open]
        next_due = await store.next_due(self.conn, open_now, self.at)
        for batch in batches:
            batch_id, account_id = batch.batch_id, batch.account_id
            instants = [at.until for at in times[batch_id].values() if not at.open]
            instants += [next_due[batch_id]] if batch_id in next_due else []
            if not found.get(batch_id) and not self._calls(account_id).get(batch_id):
                granted.naps[batch_id] = nap(batch, self.at, *instants)
            else:
                for instant in instants:
                    granted.look_again(account_id, instant)

    async def _hours(self, running: Sequence[Batch]) -> Times:
        theirs = [b.batch_id for b in running if not has_own_zone(b.created.window)]
        zones = await store.zones_of(self.conn, theirs)
        return {
            batch.batch_id: {
                key: self.timetable.hours(batch.created.window, key, self.at)
                for key in (
                    [""] if has_own_zone(batch.created.window) else zones.get(batch.batch_id, ())
                )
            }
            for batch in running
        }


_NEVER: Final = datetime.min.replace(tzinfo=UTC)
