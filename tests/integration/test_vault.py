"""Deleted is gone, and stays gone."""

import asyncio
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from chassis.postgres import LOST
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


async def test_an_empty_vault_is_no_sign_that_a_key_was_destroyed(
    vault: PostgresVault, dsn: str
) -> None:
    """Who would believe it shows nothing where something was said, for good."""
    with pytest.raises(ConnectionError):
        await Seals(vault).of(SCOPE)
    await vault.mark(make=True)
    assert await Seals(vault).of(SCOPE) is None
    conn = await asyncpg.connect(dsn)
    await conn.execute("TRUNCATE keys")
    await conn.close()
    with pytest.raises(ConnectionError):
        await Seals(vault).of(SCOPE)


async def test_a_vault_without_its_tables_is_waited_for(vault: PostgresVault, dsn: str) -> None:
    """As it is between the loss of its database and the restore; nobody's batch is set aside."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("DROP TABLE keys")
    await conn.close()
    for asked in (vault.read(SCOPE), vault.knows(SCOPE), vault.create(SCOPE), vault.destroy(SCOPE)):
        with pytest.raises(ConnectionError):
            await asked


async def test_a_vault_whose_database_is_dropped_is_waited_for(
    vault: PostgresVault, dsn: str
) -> None:
    """As it is for a moment in every restore that is swapped in."""
    name = dsn.rpartition("/")[2]
    conn = await asyncpg.connect(dsn.removesuffix(name) + "postgres")
    await conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    for _ in range(2):  # first the connection is gone, then there is no other
        with pytest.raises((ConnectionError, *LOST)):
            await vault.read(SCOPE)
    with pytest.raises(ConnectionError):
        await vault.read(SCOPE)
    await conn.execute(f'CREATE DATABASE "{name}"')
    await conn.close()


async def test_a_vault_without_its_tables_is_not_the_one_of_before(
    vault: PostgresVault, dsn: str
) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute("DROP TABLE keys")
    await conn.close()
    with pytest.raises(asyncpg.UndefinedTableError):
        await vault.mark(make=False)
