"""However long a suppression list, memory stays flat and no lock is held for long.

Each portion is a transaction of its own: a list that breaks off is there in part, which suppresses
too few and never too many.  Sent again it is finished: a row that changes nothing is no event.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog

from chassis import outbox
from chassis.postgres import TRANSIENT, Connection, Pool, retrying
from chassis.telemetry import current_traceparent
from chassis.vault import Seals, Vault, account_scope
from contracts.codec import Encoded, encode
from contracts.directory import SuppressionAdded
from contracts.sealed import Seal
from contracts.topics import topic_for
from services.ingest.domain.suppressions import Entry, news
from services.ingest.idempotency import Answer, Idempotency, Key
from services.ingest.once import Once
from services.ingest.store import now
from services.ingest.suppressions import store
from services.ingest.suppressions.pepper import pepper_of
from services.ingest.suppressions.reading import ListJob, Portion
from services.ingest.uploading.content import Content
from services.ingest.uploading.overlap import both
from services.ingest.uploading.workers import Workers

log = structlog.get_logger()

SAMPLE = 100
ATTEMPTS = 5
"""Of one portion, before the client is asked to send the list again."""


class BrokeOffError(Exception):
    """Portions of the list may be there; sent again it is finished."""


@dataclass(frozen=True, slots=True)
class SentList:
    content: Content
    source: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes events of what a list changes."""

    account_id: str
    source: str
    actor: str
    seal: Seal

    def told(
        self, portion: Portion, known: dict[bytes, Entry], at: datetime
    ) -> tuple[list[SuppressionAdded], list[tuple[str, Encoded]]]:
        events = [
            SuppressionAdded(
                account_id=self.account_id,
                at=at,
                version=known[digest].version + 1 if digest in known else 1,
                actor=self.actor,
                digest=digest.hex(),
                source=self.source,
                reason=self.seal.close(listed.reason) if listed.reason else None,
                expires_at=listed.expires_at,
            )
            for digest, listed in sorted(news(portion.listing, known, at).items())
        ]
        trace = current_traceparent()
        return events, [
            (topic_for(e, writer="ingest").name, encode(e, source="ingest", traceparent=trace))
            for e in events
        ]


class SuppressionLists:
    """`workers` are its own: a list of these takes minutes, for which nobody else is to wait."""

    def __init__(
        self,
        pool: Pool,
        vault: Vault,
        seals: Seals,
        workers: Workers,
        once: Once,
        idempotency: Idempotency,
        wake_relay: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._workers = workers
        self._vault = vault
        self._seals = seals
        self._once = once
        self._idempotency = idempotency
        self._wake_relay = wake_relay

    async def close(self) -> None:
        await self._workers.close()

    async def take(self, account_id: str, sent: SentList, *, key: str | None, actor: str) -> Answer:
        """The answer, now or earlier.  Raises FileRefusedError or BrokeOffError."""

        async def take(holder: UUID) -> Answer:
            scope = account_scope(account_id)
            teller = Teller(account_id, sent.source, actor, await self._seals.create(scope))
            answer = await self._read(teller, sent)
            if key:
                async with self._pool.acquire() as conn, conn.transaction():
                    await self._idempotency.remember(conn, holder, answer, scope)
            return answer

        return await self._once(Key(account_id, key, sent.digest) if key else None, take)

    async def _read(self, teller: Teller, sent: SentList) -> Answer:
        pepper = await pepper_of(self._pool, self._vault, teller.account_id)
        async with self._pool.acquire() as conn:
            job = ListJob(sent.content, pepper, await now(conn))
        counts, sample = Counter[str](), list[dict[str, Any]]()
        async with self._workers.reading(job) as portions:
            portion = await portions.next()
            while portion:
                counts["rejected"] += len(portion.rejected)
                sample += portion.rejected[: SAMPLE - len(sample)]
                taken = self._take(teller, portion, counts)
                portion, _ = await both(portions.next(), taken)
        log.info("suppressions_taken", **counts)
        body = {name: counts[name] for name in ("added", "unchanged", "rejected")}
        return Answer(HTTPStatus.OK, {}, {"source": sent.source, **body, "rejected_sample": sample})

    async def _take(self, teller: Teller, portion: Portion, counts: Counter[str]) -> None:
        async def once() -> int:
            async with self._pool.acquire() as conn, conn.transaction():
                return await self._add(conn, teller, portion)

        try:
            added = await retrying("suppressions", once, attempts=ATTEMPTS)
        except TRANSIENT as error:
            raise BrokeOffError from error
        self._wake_relay()
        counts["added"] += added
        counts["unchanged"] += portion.rows - added

    async def _add(self, conn: Connection, teller: Teller, portion: Portion) -> int:
        await store.lock_account(conn, teller.account_id)
        known = await store.entries(conn, teller.account_id, portion.listing.keys())
        at = await now(conn)
        events, records = await asyncio.to_thread(teller.told, portion, known, at)
        if events:
            await store.fold(conn, events)
            await outbox.put_encoded(conn, records)
        return len(events)
