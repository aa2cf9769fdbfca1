"""From GRANTED to INTENT, or straight back: one transaction for many, one verdict for each.

Nobody else can take a grant that is locked here, and an INTENT is entered once in a call's life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from chassis.postgres import Connection, Pool
from chassis.vault import KeyLostError
from contracts.calls import CallPlacing, ReturnReason
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.sealed import RecipientSecrets
from services.dialer import clock
from services.dialer.call import Call
from services.dialer.carriers.port import Order, Refused
from services.dialer.domain import Evidence, GivenBack, Rules, settle
from services.dialer.people import People
from services.dialer.placeholders import spoken_with
from services.dialer.settings import DialerSettings
from services.dialer.store import Q, Row, call_of, save_calls, say, take_permits
from services.dialer.telling import facts

log = structlog.get_logger()

INTENDED, HELD = "intended", "held"


@dataclass(frozen=True, slots=True)
class Intent:
    """A call of ours to place, and until when (on `clock`) its request may leave."""

    order: Order
    placing: CallPlacing
    deadline: float


@dataclass(frozen=True, slots=True)
class Taken:
    intents: Sequence[Intent]
    given_back: int
    held: int
    """Left as they were: the carrier takes no more for now."""


@dataclass(frozen=True, slots=True)
class Candidate:
    row: Row
    secrets: RecipientSecrets | None
    digest: str | None
    key_lost: bool = False


class Granting:
    def __init__(
        self, pool: Pool, people: People, settings: DialerSettings, rules: Rules, carrier: str
    ) -> None:
        self._pool = pool
        self._people = people
        self._settings = settings
        self._rules = rules
        self._carrier = carrier

    async def take(self, most: int) -> Taken:
        async with self._pool.acquire() as conn, conn.transaction():
            rows = await conn.fetch(Q.claim_grants, most)
            if not rows:
                return Taken((), 0, 0)
            candidates = [await self._candidate(row) for row in rows]
            rate = self._settings.carrier_calls_per_second
            permits = await take_permits(conn, self._carrier, rate, len(rows))
            began = clock.now()  # before the statement that sets the deadlines, so never too late
            verdicts = await self._judge(conn, candidates, permits)
            return await self._act(conn, candidates, {v["call_id"]: v for v in verdicts}, began)

    async def _candidate(self, row: Row) -> Candidate:
        try:
            secrets = await self._people.read_known(row["batch_id"], row["sealed"])
            if secrets is None:
                return Candidate(row, None, None)
            digest = await self._people.digest(row["account_id"], secrets.phone_number)
        except KeyLostError as error:
            log.error("key_lost", batch_id=str(row["batch_id"]), scope=str(error))  # noqa: TRY400
            return Candidate(row, None, None, key_lost=True)
        return Candidate(row, secrets, digest)

    async def _judge(
        self, conn: Connection, candidates: Sequence[Candidate], permits: int
    ) -> list[Row]:
        return await conn.fetch(
            Q.intend,
            [c.row["call_id"] for c in candidates],
            [c.digest for c in candidates],
            list({c.row["batch_id"] for c in candidates}),
            permits,
            self._carrier,
            timedelta(seconds=self._settings.send_within_seconds),
            self._rules.overdue,
        )

    async def _act(
        self,
        conn: Connection,
        candidates: Sequence[Candidate],
        verdicts: Mapping[object, Row],
        began: float,
    ) -> Taken:
        intents: list[Intent] = []
        changed: list[Call] = []
        events: list[tuple[Event, str | None]] = []
        for candidate in candidates:
            verdict = verdicts[candidate.row["call_id"]]
            if verdict["verdict"] == INTENDED and candidate.secrets is not None:
                intents.append(self._intent(candidate.row, candidate.secrets, verdict, began))
            elif verdict["verdict"] != HELD:
                evidence = self._evidence(candidate, verdict["verdict"])
                call = replace(call_of(candidate.row), carrier=self._carrier)
                settled = settle(call, evidence, now=verdict["now"], rules=self._rules)
                changed.append(settled.call)
                events += [(event, candidate.row["traceparent"]) for event in settled.events]
        await save_calls(conn, changed)
        await say(conn, events)
        return Taken(intents, len(changed), len(candidates) - len(changed) - len(intents))

    def _intent(self, row: Row, secrets: RecipientSecrets, verdict: Row, began: float) -> Intent:
        order = Order(
            call_id=row["call_id"],
            agent_id=row["agent_id"],
            from_number=row["from_number"],
            max_duration_seconds=row["max_duration_seconds"],
            to=secrets.phone_number,
            variables=spoken_with(secrets),
            traceparent=row["traceparent"],
        )
        placing = CallPlacing(
            **facts(
                replace(call_of(row), requested_at=verdict["requested_at"]), verdict["requested_at"]
            ),
            carrier=self._carrier,
            send_before=verdict["send_before"],
        )
        return Intent(order, placing, began + verdict["remaining"])

    def _evidence(self, candidate: Candidate, verdict: str) -> Evidence:
        match verdict:
            case "unreadable" if candidate.key_lost:
                return GivenBack(ReturnReason.FATAL_FAULT, "key_lost")
            case "suppressed":
                return Refused(Outcome.SUPPRESSED, "suppressed")
            case "unreadable":
                return Refused(Outcome.FAILED, "recipient_unreadable")
            case "number_busy":
                wait = timedelta(seconds=self._settings.number_busy_seconds)
                return GivenBack(ReturnReason.NUMBER_BUSY, wait=wait)
            case _:
                return GivenBack(ReturnReason(verdict))
