"""A vault that is empty, another, or wrapped by another key is not worked with: nothing would open.

Each service remembers, in its own database, the mark of the vault it met first.
"""

import asyncpg
from cryptography.exceptions import InvalidTag

from chassis.postgres import TRANSIENT, Pool
from chassis.queries import load_queries
from chassis.vault import PostgresVault

Q = load_queries(__file__, "same_vault.sql")

ANOTHER = "the vault is not the one whose keys were used: restore it from its backup"
WRONG_KEY = (
    "the vault's keys are wrapped by another key-encryption key than this one: bring it back"
)
SEE = "docs/operations/lost-vault.md"


class LostVaultError(Exception):
    """The message says what to bring back."""


async def know(pool: Pool, vault: PostgresVault) -> None:
    """Raises LostVaultError, or what is TRANSIENT."""
    try:
        mine = await pool.fetchval(Q.known)
        theirs = await vault.mark(make=mine is None)
        if mine is None:
            await pool.execute(Q.know, theirs)
    except TRANSIENT:
        raise
    except InvalidTag as error:
        raise LostVaultError(WRONG_KEY) from error
    except asyncpg.UniqueViolationError as error:  # another process knows it by now
        raise asyncpg.SerializationError(str(error)) from error
    except asyncpg.PostgresError as error:
        raise LostVaultError(ANOTHER) from error
    if mine is not None and theirs != mine:
        raise LostVaultError(ANOTHER)
