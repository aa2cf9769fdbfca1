"""A destroyed key opens nothing any more, within seconds, anywhere; its scope never gets another.

Keys are stored wrapped (AES-256-GCM, the scope as associated data) by a key-encryption key that is
not in the database.  Scopes: "batch:<uuid>", "list:<uuid>", "account:<id>", "pepper:<account>".
"""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.migrations import migrate
from chassis.postgres import REPLACED, Pool, open_pool
from chassis.queries import load_queries
from contracts.sealed import Seal, new_key

Q = load_queries(__file__, "vault.sql")
MIGRATIONS = Path(__file__).parent / "vault_migrations"

NONCE = 12
KEPT = 4096
KEPT_FOR = 5.0
"""Seconds in which another process may still open what was just destroyed."""


MARK = "vault"
"""The scope of a key that seals nothing: by it a vault is known again."""


class DestroyedError(Exception):
    """The scope's key was destroyed; there will be no other."""


class KeyLostError(Exception):
    """A key that was made is not there, and was not destroyed: the vault is of before."""


@contextmanager
def _waited_for() -> Iterator[None]:
    """Where another database is being put in its place, nothing is concluded from there being none.

    Raises ConnectionError, which is waited for: no batch is set aside for it.
    """
    try:
        yield
    except REPLACED as error:
        raise ConnectionError("the vault's database is lost") from error


class Vault(Protocol):
    """The port: PostgreSQL first, a key management service later.  All raise ConnectionError."""

    async def create(self, scope: str) -> bytes:
        """The scope's key, made if there was none.  Raises DestroyedError."""

    async def read(self, scope: str) -> bytes | None:
        """The scope's key; None if there is none (any more)."""

    async def knows(self, scope: str) -> bool:
        """Whether the scope has, or ever had, a key."""

    async def destroy(self, scope: str) -> None:
        """For ever, also if the scope never had a key."""


class PostgresVault:
    def __init__(self, pool: Pool, kek: bytes) -> None:
        self._pool = pool
        self._wrap = AESGCM(kek)

    @classmethod
    async def open(cls, dsn: str, kek: bytes, *, application_name: str) -> "PostgresVault":
        """Brings its own schema up to date; any service may be the first."""
        await migrate(dsn, MIGRATIONS, chassis=False)
        return cls(await open_pool(dsn, application_name=application_name, max_size=4), kek)

    async def close(self) -> None:
        await self._pool.close()

    async def create(self, scope: str) -> bytes:
        nonce = os.urandom(NONCE)
        wrapped = nonce + self._wrap.encrypt(nonce, new_key(), scope.encode())
        with _waited_for():
            await self._pool.execute(Q.create_key, scope, wrapped)
        key = await self.read(scope)
        if key is None:
            raise DestroyedError(scope)
        return key

    async def read(self, scope: str) -> bytes | None:
        return (await self.read_all([scope])).get(scope)

    async def read_all(self, scopes: Sequence[str]) -> dict[str, bytes]:
        """The keys there are of many scopes."""
        with _waited_for():
            rows = await self._pool.fetch(Q.read_keys, list(scopes))
        return {row["scope"]: self._unwrap(row["scope"], row["wrapped"]) for row in rows}

    async def knows(self, scope: str) -> bool:
        with _waited_for():
            return bool(await self._pool.fetchval(Q.knows, scope))

    async def mark(self, *, make: bool) -> str | None:
        """What no other vault has.  Raises InvalidTag where the keys are wrapped by another key."""
        if (any_key := await self._pool.fetchrow(Q.any_key)) is not None:
            self._unwrap(any_key["scope"], any_key["wrapped"])
        key = await (self.create(MARK) if make else self.read(MARK))
        return None if key is None else hashlib.sha256(key).hexdigest()

    async def destroy(self, scope: str) -> None:
        with _waited_for():
            await self._pool.execute(Q.destroy_key, scope)

    def _unwrap(self, scope: str, wrapped: bytes) -> bytes:
        return self._wrap.decrypt(wrapped[:NONCE], wrapped[NONCE:], scope.encode())


class Seals:
    """Seals by scope, kept for seconds: setting up a cipher and asking the vault both cost."""

    def __init__(self, vault: Vault, *, kept_for: float = KEPT_FOR) -> None:
        self._vault = vault
        self._kept_for = kept_for
        self._kept: OrderedDict[str, tuple[float, Seal]] = OrderedDict()

    async def of(self, scope: str) -> Seal | None:
        """The seal of a scope; None if it has no key (any more).

        Raises ConnectionError where the vault is empty: that is no sign that a key was destroyed.
        """
        kept = self._kept.get(scope)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        key = await self._vault.read(scope)
        if key is None:
            if not (await self._vault.knows(scope) or await self._vault.knows(MARK)):
                raise ConnectionError("the vault is empty")
            return None
        seal = Seal(key, scope)
        self._keep(scope, seal)
        return seal

    async def known(self, scope: str) -> Seal | None:
        """The seal of a scope that had a key; None once that is destroyed.  Raises KeyLostError."""
        seal = await self.of(scope)
        if seal is None and not await self._vault.knows(scope):
            raise KeyLostError(scope)
        return seal

    async def create(self, scope: str) -> Seal:
        """The seal of a scope, its key made if need be.  Raises DestroyedError."""
        seal = Seal(await self._vault.create(scope), scope)
        self._keep(scope, seal)
        return seal

    async def destroy(self, scope: str) -> None:
        await self._vault.destroy(scope)
        self._kept.pop(scope, None)

    def _keep(self, scope: str, seal: Seal) -> None:
        self._kept[scope] = (time.monotonic() + self._kept_for, seal)
        self._kept.move_to_end(scope)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def batch_scope(batch_id: object) -> str:
    return f"batch:{batch_id}"


def account_scope(account_id: str) -> str:
    return f"account:{account_id}"


def list_scope(list_id: object) -> str:
    return f"list:{list_id}"


def pepper_scope(account_id: str) -> str:
    return f"pepper:{account_id}"
