"""Evidence about calls becomes state and events in one transaction; one commit serves many.

Whoever gives evidence has it on disk when `give` returns: a callback is answered only then.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog

from chassis.groupcommit import GroupCommit
from chassis.postgres import Connection, Pool, retrying
from contracts.conversations import ConversationRecorded
from contracts.event import Event
from services.dialer.call import Call, State
from services.dialer.carriers.port import Conversation, Sighting
from services.dialer.domain import Evidence, Rules, settle
from services.dialer.people import People
from services.dialer.store import Q, Row, call_of, save_calls, say
from services.dialer.wakes import Wakes

log = structlog.get_logger()

Traced = tuple[Event, str | None]


@dataclass(frozen=True, slots=True)
class Item:
    call_id: UUID
    evidence: Evidence
    told_of: str | None = None
    """The carrier's own id, where this may be news of another call."""


@dataclass(slots=True)
class Known:
    """A call while evidence is applied to it."""

    row: Row
    before: Call
    now: Call


class Settlement:
    def __init__(self, pool: Pool, people: People, rules: Rules, wakes: Wakes) -> None:
        self._pool = pool
        self._people = people
        self._rules = rules
        self._wakes = wakes
        self._group: GroupCommit[Item, bool] = GroupCommit(self._settle_all)

    async def give(self, call_id: UUID, evidence: Evidence) -> bool:
        """False where there is no such call."""
        return await self._group.do(Item(call_id, evidence))

    async def hear(self, call_id: UUID, seen: Sighting) -> bool:
        """What nobody asked for; False also where the carrier has another id for the call."""
        return await self._group.do(Item(call_id, seen, told_of=seen.carrier_call_id))

    async def _settle_all(self, items: list[Item]) -> list[bool | Exception]:
        return await retrying("settle", lambda: self._settle(items))

    async def _settle(self, items: list[Item]) -> list[bool | Exception]:
        async with self._pool.acquire() as conn, conn.transaction():
            rows = await conn.fetch(Q.calls_to_settle, sorted({item.call_id for item in items}))
            known = {row["call_id"]: Known(row, call := call_of(row), call) for row in rows}
            events: list[Traced] = []
            taken: list[bool | Exception] = []
            for item in items:
                one = known.get(item.call_id)
                taken.append(one is not None and not _of_another(one.now, item))
                if one is not None and taken[-1]:
                    events += await self._apply(one, item.evidence)
            await self._write(conn, known, events)
        if events:
            self._wakes.settled()
        if any(one.row["deleted"] for one in known.values()):
            self._wakes.drain.ring()  # it may have been the last one of its batch
        return taken

    async def _apply(self, one: Known, evidence: Evidence) -> list[Traced]:
        if one.now.state is State.RETURNED and isinstance(evidence, Sighting):
            log.error("given_back_and_yet_seen", call_id=str(one.now.call_id))
        settled = settle(one.now, evidence, now=one.row["now"], rules=self._rules)
        one.now = settled.call
        events: list[Event] = list(settled.events)
        if settled.conversation is not None and not one.row["deleted"]:
            recorded = await self._recorded(one, settled.conversation)
            events += [] if recorded is None else [recorded]
        return [(event, one.row["traceparent"]) for event in events]

    async def _recorded(self, one: Known, what: Conversation) -> ConversationRecorded | None:
        sealed = await self._people.seal(one.now.batch_id, what)
        if sealed is None:
            return None
        return ConversationRecorded(
            account_id=one.now.account_id,
            at=one.row["now"],
            batch_id=one.now.batch_id,
            recipient_id=one.now.recipient_id,
            call_id=one.now.call_id,
            grant_no=one.now.grant_no,
            sealed=sealed,
        )

    async def _write(
        self, conn: Connection, known: dict[UUID, Known], events: list[Traced]
    ) -> None:
        await save_calls(conn, [one.now for one in known.values() if one.now != one.before])
        await say(conn, events)


def _of_another(call: Call, item: Item) -> bool:
    if not call.carrier_call_id or item.told_of in (None, call.carrier_call_id):
        return False
    log.warning("news_of_another_call", call_id=str(call.call_id))
    return True
