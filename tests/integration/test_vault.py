"""Deleted is gone, and stays gone."""

import asyncio
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from chassis.vault import DestroyedError, PostgresVault, Seals, batch_scope
from tests.conftest import DatabaseFactory

SCOPE = batch_scope("b8f6b2f4-6c0e-4f4a-8a51-7d3c8b1a0001")
KEK = os.urandom(32)


@pytest.fixture
async def dsn(database: DatabaseFactory) -> str:
    return await database()


@pytest.fixture
async def vault(dsn: str) -> AsyncIterator[PostgresVault]:
    vault = await PostgresVault.open(dsn, KEK, application_name="test")
    yield vault
    await vault.close()


async def test_a_scope_has_one_key_however_many_ask_at_once(vault: PostgresVault) -> None:
    keys = await asyncio.gather(*(vault.create(SCOPE) for _ in range(10)))
    assert set(keys) == {await vault.read(SCOPE)}


async def test_a_destroyed_key_is_read_no_more_and_never_made_again(vault: PostgresVault) -> None:
    await vault.create(SCOPE)
    await vault.destroy(SCOPE)
    assert await vault.read(SCOPE) is None
    with pytest.raises(DestroyedError):
        await vault.create(SCOPE)


async def test_a_scope_destroyed_before_it_had_a_key_gets_none(vault: PostgresVault) -> None:
    await vault.destroy(SCOPE)
    with pytest.raises(DestroyedError):
        await vault.create(SCOPE)


async def test_keys_lie_wrapped_and_bound_to_their_scope(vault: PostgresVault, dsn: str) -> None:
    key = await vault.create(SCOPE)
    await vault.create("account:default")
    conn = await asyncpg.connect(dsn)
    wrapped = await conn.fetchval("SELECT wrapped FROM keys WHERE scope = $1", SCOPE)
    assert key not in wrapped
    await conn.execute("UPDATE keys SET wrapped = $1 WHERE scope = 'account:default'", wrapped)
    await conn.close()
    with pytest.raises(InvalidTag):
        await vault.read("account:default")


async def test_another_process_opens_nothing_seconds_after_the_key_was_destroyed(
    vault: PostgresVault,
) -> None:
    ours, theirs = Seals(vault), Seals(vault, kept_for=0)
    sealed = (await ours.create(SCOPE)).close("Ada")
    seal = await theirs.of(SCOPE)
    assert seal is not None
    assert seal.text(sealed) == "Ada"
    await ours.destroy(SCOPE)
    assert await ours.of(SCOPE) is None
    assert await theirs.of(SCOPE) is None
