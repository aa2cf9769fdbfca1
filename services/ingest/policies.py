"""What an account may do now, read afresh for each request; nothing of it is remembered."""

from uuid import UUID

from chassis.postgres import Connection, Pool
from chassis.vault import Vault
from services.ingest import store
from services.ingest.domain.batch import Directory, Terms, agree
from services.ingest.domain.requests import BatchRequest
from services.ingest.reading.policy import Policy, Suppressed
from services.ingest.suppressions.pepper import pepper_of
from services.ingest.suppressions.store import suppressed_of


class Policies:
    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def agree(self, account_id: str, request: BatchRequest, batch_id: UUID) -> Terms:
        """The terms of a batch.  Raises RefusedError."""
        pepper = await pepper_of(self._pool, self._vault, account_id)
        async with self._pool.acquire() as conn:
            directory = await store.named(conn, account_id, request)
            policy = await _policy(conn, directory, pepper)
            return agree(request, directory, policy, batch_id=batch_id, at=await store.now(conn))

    async def of(self, account_id: str) -> Policy:
        """What a list of the account is judged by."""
        pepper = await pepper_of(self._pool, self._vault, account_id)
        async with self._pool.acquire() as conn:
            return await _policy(conn, await store.named(conn, account_id, None), pepper)


async def _policy(conn: Connection, directory: Directory, pepper: bytes) -> Policy:
    account = directory.account
    at = await store.now(conn)
    suppressed: Suppressed = await suppressed_of(conn, account.account_id, pepper, at)
    regions = account.allowed_regions
    return Policy(
        allowed_regions=None if regions is None else frozenset(regions),
        caller_ids=directory.caller_ids,
        suppressed=suppressed,
    )
