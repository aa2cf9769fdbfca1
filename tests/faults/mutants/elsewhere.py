"""Schedulers, an ingest and a model that are wrong in one way each; a trial must convict them."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from chassis.outbox import Q as OUTBOX
from chassis.postgres import Connection
from chassis.relay import Relay, _record
from chassis.vault import Seals
from contracts import progress
from contracts.calendar import Window
from contracts.outcomes import Outcome
from contracts.progress import Progress, Rules
from services.ingest.domain import life
from services.scheduler import app, decider, store
from services.scheduler.decision import Decision
from services.scheduler.domain import hours
from services.scheduler.domain.batch import Batch
from services.scheduler.domain.hours import Hours
from services.scheduler.handlers import calls
from services.scheduler.loading import Calls, Woken
from tests.faults.mutants.inbox import OffsetsLongFirst

OLD = 0.7
EVERY = 80
"""Grants of which one keeps its slot."""
NOBODY = UUID(int=0)
"""A batch that is none."""


class _FromMemory(Decision):
    """What was counted a moment ago is good enough."""

    kept: ClassVar[Mapping[str, Calls]] = {}
    at_time: ClassVar[float] = 0.0

    async def _slots_taken(self, woken: Sequence[Woken]) -> Mapping[str, Calls]:
        memory = type(self)
        if time.monotonic() > memory.at_time + OLD:
            memory.kept, memory.at_time = await super()._slots_taken(woken), time.monotonic()
        return memory.kept


def counts_slots_now_and_then() -> None:
    decider.Decider.decision = _FromMemory


class _Leaking(Decision):
    granted: ClassVar[dict[str, int]] = {}

    async def _slots_taken(self, woken: Sequence[Woken]) -> Mapping[str, Calls]:
        counted = {it.account_id: dict(it.calls) for it in woken}
        for account_id, taken in counted.items():
            taken[NOBODY] = self.granted.get(account_id, 0) // EVERY
        return counted

    async def make(self) -> Any:
        decided = await super().make()
        for event in decided.events:
            if type(event).__name__ == "RecipientQueued":
                self.granted[event.account_id] = self.granted.get(event.account_id, 0) + 1
        return decided


def leaks_a_slot_now_and_then() -> None:
    decider.Decider.decision = _Leaking


def calls_at_any_hour() -> None:
    def always(window: Window, key: str, at: datetime) -> Hours:
        return Hours(open=True, until=at + timedelta(days=1))

    vars(hours)["hours"] = always


def lets_go_before_the_broker_has_it() -> None:
    """An outbox row is deleted, and then it is published."""

    async def publish_some(self: Relay) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(OUTBOX.lock_outbox)
            rows = await conn.fetch(OUTBOX.oldest_in_outbox, 1000)
            await conn.execute(OUTBOX.published, [row["id"] for row in rows])
        await asyncio.sleep(OffsetsLongFirst.between)
        await self._producer.send_all([_record(row) for row in rows])
        return len(rows)

    setattr(Relay, "publish_some", publish_some)  # noqa: B010 - a mutant


def forgets_what_it_has_read() -> None:
    vars(app)["Inbox"] = OffsetsLongFirst


def says_quiet_before_it_is() -> None:
    """A pause is done when the scheduler says so, whatever the dialers are at."""
    vars(life)["QUIET"] = frozenset()


def redials_whoever_it_was() -> None:
    """Every ending is one after which the retry policy calls again."""
    true = progress.called_again_from

    def called_again_from(person: Progress, rules: Rules) -> datetime | None:
        ended = person.outcome is not None
        return true(replace(person, outcome=Outcome.BUSY) if ended else person, rules)

    vars(calls)["called_again_from"] = called_again_from


def counts_no_attempts() -> None:
    """Every call is the first of its run."""
    true = progress.called_again_from

    def called_again_from(person: Progress, rules: Rules) -> datetime | None:
        return true(replace(person, run_attempt=min(1, person.run_attempt)), rules)

    vars(calls)["called_again_from"] = called_again_from


def forgets_who_waits_for_another_call() -> None:
    """Over is a batch of which nobody is in a call and nobody is to be called now."""

    async def still_waiting(_: Connection, __: Sequence[Batch]) -> set[UUID]:
        return set()

    vars(store)["still_waiting"] = still_waiting


def keeps_the_key_of_what_is_deleted() -> None:
    async def kept(self: Any, scope: str) -> None:
        """Somebody may want it back."""

    setattr(Seals, "destroy", kept)  # noqa: B010 - a mutant


def forgets_what_it_has_shown() -> None:
    from services.projections import app as projections  # noqa: PLC0415 - heavy

    vars(projections)["Inbox"] = OffsetsLongFirst
