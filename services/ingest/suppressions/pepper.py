"""Whoever is suppressed stays so: a pepper that is lost is not quietly replaced by another.

Under another no number on the list would be known any more, and all of them would be called.
"""

from collections.abc import Awaitable, Callable

import structlog

from chassis.health import Check
from chassis.postgres import Pool
from chassis.vault import Vault, pepper_scope
from services.ingest.suppressions.store import Q

log = structlog.get_logger()

RESTORE = "the vault has lost the key of the suppression list: restore it from its backup"


class PepperLostError(Exception):
    """There are suppressed numbers, and nothing to know them by."""


async def pepper_of(pool: Pool, vault: Vault, account_id: str) -> bytes:
    """The account's, made if it was never needed.  Raises PepperLostError."""
    scope = pepper_scope(account_id)
    if (pepper := await vault.read(scope)) is not None:
        return pepper
    if account_id in await _suppressing(pool):
        log.error("pepper_lost", account_id=account_id)
        raise PepperLostError
    return await vault.create(scope)


def pepper_check(pool: Pool, vault: Vault) -> Callable[[], Awaitable[Check]]:
    async def check() -> Check:
        for account_id in await _suppressing(pool):
            if await vault.read(pepper_scope(account_id)) is None:
                return Check(ok=False, wrong=RESTORE)
        return Check(ok=True)

    return check


async def _suppressing(pool: Pool) -> list[str]:
    """The accounts that have ever suppressed a number."""
    accounts: list[str] = await pool.fetchval(Q.suppressing_accounts)
    return accounts
