"""Writes to one entry of the directory follow each other: numbered, folded and told in one go."""

from collections.abc import Callable
from datetime import datetime

from chassis import outbox
from chassis.postgres import Pool
from contracts.directory import AccountConfigured, DirectoryEvent
from services.ingest import store
from services.ingest.domain.directory import DEFAULT_CONCURRENCY, account_key, changed

Decide = Callable[[DirectoryEvent | None, datetime], DirectoryEvent]


class Directory:
    def __init__(self, pool: Pool, wake_relay: Callable[[], None]) -> None:
        self._pool = pool
        self._wake_relay = wake_relay
        self._configured: set[str] = set()

    async def write(self, key: str, decide: Decide) -> DirectoryEvent:
        """The entry as it stands afterwards; `decide` sees it as it stood before."""
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock_entry(conn, key)
            known = (await store.entries(conn, [key])).get(key)
            wanted = decide(known, await store.now(conn))
            event = changed(known, wanted)
            if event is not None:
                await store.fold_directory(conn, [event])
                await outbox.put(conn, [event], writer="ingest")
        self._wake_relay()
        return event or known or wanted

    async def ensure_account(self, account_id: str) -> None:
        """Every account that is used is configured; what somebody has set stays."""
        if account_id in self._configured:
            return

        def decide(known: DirectoryEvent | None, at: datetime) -> DirectoryEvent:
            return known or AccountConfigured(
                account_id=account_id,
                at=at,
                version=1,
                actor="rollcall",
                concurrency=DEFAULT_CONCURRENCY,
            )

        await self.write(account_key(account_id), decide)
        self._configured.add(account_id)
