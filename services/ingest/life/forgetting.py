"""Deleted stays gone: keys that a vault restored from before brings back are destroyed again."""

import structlog

from chassis.postgres import Pool
from chassis.vault import PostgresVault
from services.ingest.life.store import Q

log = structlog.get_logger()
AT_ONCE = 1000


async def forget_again(pool: Pool, vault: PostgresVault) -> None:
    """Of batches and lists whose deletion was done."""
    scopes: list[str] = await pool.fetchval(Q.scopes_forgotten)
    for first in range(0, len(scopes), AT_ONCE):
        back = await vault.read_all(scopes[first : first + AT_ONCE])
        for scope in back:
            await vault.destroy(scope)
        if back:
            log.warning("keys_destroyed_again", keys=len(back))
