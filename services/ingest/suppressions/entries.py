"""What was asked of one number stands in the log under its next version, or changed nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chassis import outbox
from chassis.postgres import Connection, Pool
from chassis.vault import Seals, Vault, account_scope
from contracts.directory import SuppressionAdded, SuppressionEvent, SuppressionRemoved
from contracts.sealed import Seal, digest_of
from services.ingest.domain.suppressions import BY_NAME, Entry, SuppressionRequest
from services.ingest.store import now
from services.ingest.suppressions import store
from services.ingest.suppressions.pepper import pepper_of


class ExpiredAlreadyError(Exception):
    """It was to end before it began."""


class NotSuppressedError(Exception):
    """There is nothing to lift."""


@dataclass(frozen=True, slots=True)
class Suppression:
    source: str
    reason: str | None
    expires_at: datetime | None
    active: bool


class Suppressions:
    def __init__(
        self, pool: Pool, vault: Vault, seals: Seals, wake_relay: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._seals = seals
        self._wake_relay = wake_relay

    async def put(
        self, account_id: str, number: str, request: SuppressionRequest, *, actor: str
    ) -> SuppressionEvent:
        """The entry as it stands afterwards.  Raises ExpiredAlreadyError."""
        digest = await self._digest(account_id, number)
        seal = await self._seals.create(account_scope(account_id))
        async with self._pool.acquire() as conn, conn.transaction():
            known = await self._locked(conn, account_id, digest)
            at = await now(conn)
            if request.expires_at is not None and request.expires_at <= at:
                raise ExpiredAlreadyError
            wanted = Entry(
                version=known.version + 1 if known else 1,
                active=True,
                source=BY_NAME,
                reason=_sealed(request.reason, known, seal),
                expires_at=request.expires_at,
            )
            unchanged = known is not None and known.says(wanted)
            event = SuppressionAdded(
                account_id=account_id,
                at=at,
                version=known.version if known and unchanged else wanted.version,
                actor=actor,
                digest=digest.hex(),
                source=wanted.source,
                reason=wanted.reason,
                expires_at=wanted.expires_at,
            )
            if not unchanged:
                await _say(conn, event)
        self._wake_relay()
        return event

    async def lift(self, account_id: str, number: str, *, actor: str) -> SuppressionEvent:
        """Raises NotSuppressedError."""
        digest = await self._digest(account_id, number)
        async with self._pool.acquire() as conn, conn.transaction():
            known = await self._locked(conn, account_id, digest)
            at = await now(conn)
            if known is None or not known.holds(at):
                raise NotSuppressedError
            event = SuppressionRemoved(
                account_id=account_id,
                at=at,
                version=known.version + 1,
                actor=actor,
                digest=digest.hex(),
                source=BY_NAME,
            )
            await _say(conn, event)
        self._wake_relay()
        return event

    async def find(self, account_id: str, number: str) -> Suppression | None:
        """None: it was never suppressed, or has been lifted."""
        digest = await self._digest(account_id, number)
        async with self._pool.acquire() as conn:
            known = (await store.entries(conn, account_id, [digest])).get(digest)
            at = await now(conn)
        if known is None or not known.active:
            return None
        seal = await self._seals.of(account_scope(account_id))
        reason = seal.text(known.reason) if seal and known.reason else None
        return Suppression(known.source, reason, known.expires_at, known.holds(at))

    async def _digest(self, account_id: str, number: str) -> bytes:
        pepper = await pepper_of(self._pool, self._vault, account_id)
        return bytes.fromhex(digest_of(pepper, number))

    async def _locked(self, conn: Connection, account_id: str, digest: bytes) -> Entry | None:
        await store.lock_account(conn, account_id)
        return (await store.entries(conn, account_id, [digest])).get(digest)


async def _say(conn: Connection, event: SuppressionEvent) -> None:
    await store.fold(conn, [event])
    await outbox.put(conn, [event], writer="ingest")


def _sealed(reason: str | None, known: Entry | None, seal: Seal) -> str | None:
    """The seal the entry has, if it holds this reason: another would look like a change."""
    if not reason:
        return None
    before = known.reason if known else None
    return before if before and seal.text(before) == reason else seal.close(reason)
