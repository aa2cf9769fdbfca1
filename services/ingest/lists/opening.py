"""A list is readable for as long as its key is in the vault, and by its account alone."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from chassis.postgres import Pool
from chassis.vault import Seals, Vault, list_scope
from services.ingest.lists import store
from services.ingest.lists.block import ListSeal
from services.ingest.lists.store import ListGoneError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenList:
    """A list and its key; it can be handed to another process."""

    account_id: str
    list_id: UUID
    key: bytes

    @property
    def seal(self) -> ListSeal:
        return ListSeal(self.list_id, self.key)


class Lists:
    def __init__(self, pool: Pool, vault: Vault, seals: Seals) -> None:
        self._pool = pool
        self._vault = vault
        self._seals = seals

    async def new(self, account_id: str, list_id: UUID) -> OpenList:
        return OpenList(account_id, list_id, await self._vault.create(list_scope(list_id)))

    async def open(self, account_id: str, list_id: UUID) -> OpenList:
        """Raises ListGoneError."""
        async with self._pool.acquire() as conn:
            await store.created_at(conn, list_id, account_id)
        key = await self._vault.read(list_scope(list_id))
        if key is None:
            raise ListGoneError
        return OpenList(account_id, list_id, key)

    async def delete(self, account_id: str, list_id: UUID) -> None:
        """Unreadable when this returns.  Raises ListGoneError."""
        async with self._pool.acquire() as conn:
            await store.delete(conn, list_id, account_id)
        await self._destroy(list_id)

    async def forget_deleted(self) -> None:
        """What a process that died has left half deleted; their blocks go to the sweeper."""
        async with self._pool.acquire() as conn:
            deleted = await store.deleted(conn)
        for list_id in deleted:
            await self._destroy(list_id)

    async def _destroy(self, list_id: UUID) -> None:
        # with the seal that answers under an Idempotency-Key are opened with
        await self._seals.destroy(list_scope(list_id))
        async with self._pool.acquire() as conn, conn.transaction():
            await store.forget(conn, list_id)
        log.info("list_deleted", list_id=str(list_id))
