"""A pepper that cannot be had makes a suppression unknown, never a read fail; none is made here."""

import asyncio
from typing import Final, Protocol

import asyncpg
import structlog
from cryptography.exceptions import InvalidTag

from chassis.postgres import TRANSIENT
from chassis.vault import pepper_scope

log = structlog.get_logger()

AWAY: Final[tuple[type[Exception], ...]] = (*TRANSIENT, asyncpg.PostgresError, InvalidTag)
"""No vault, none that takes us, or one whose keys are wrapped by another key than ours."""
PATIENCE: Final = 1.0
"""Seconds in which the vault has to answer: whoever reads waits for it."""


class Keys(Protocol):
    async def read(self, scope: str) -> bytes | None:
        """None: there is no such key, or no longer."""
        ...


class Peppers:
    """Kept once read: a pepper is not changed as long as anything stands under it."""

    def __init__(self, vault: Keys, *, patience: float = PATIENCE) -> None:
        self._vault = vault
        self._patience = patience
        self._kept: dict[str, bytes] = {}

    async def of(self, account_id: str) -> bytes | None:
        """None: nobody can say now which numbers are suppressed."""
        kept = self._kept.get(account_id)
        return kept if kept is not None else await self._read(account_id)

    async def _read(self, account_id: str) -> bytes | None:
        try:
            async with asyncio.timeout(self._patience):
                pepper = await self._vault.read(pepper_scope(account_id))
        except AWAY as error:
            log.warning("pepper_unreadable", account_id=account_id, error=type(error).__name__)
            return None
        if pepper is None:
            log.warning("pepper_missing", account_id=account_id)
            return None
        self._kept[account_id] = pepper
        return pepper
