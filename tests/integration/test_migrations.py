"""The schema goes forward, once."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from chassis import apply, migrations, outbox, rebuild, vault
from chassis.migrations import CHASSIS, MigrationError, migrate
from chassis.queries import check_queries
from tests.conftest import DatabaseFactory
from tests.counter import MIGRATIONS


async def test_five_at_once_apply_each_step_once(database: DatabaseFactory) -> None:
    dsn = await database()
    await asyncio.gather(*(migrate(dsn, MIGRATIONS) for _ in range(5)))
    await migrate(dsn, MIGRATIONS)
    conn = await asyncpg.connect(dsn)
    rows = await conn.fetch("SELECT scope, number FROM rollcall_migrations ORDER BY scope, number")
    await conn.close()
    steps = [("chassis", n) for n in range(1, len(list(CHASSIS.glob("*.sql"))) + 1)]
    assert [tuple(row) for row in rows] == [*steps, ("service", 1)]


async def test_a_step_that_fails_leaves_nothing_and_is_tried_again(
    database: DatabaseFactory, tmp_path: Path
) -> None:
    dsn = await database()
    step = tmp_path / "0001_table.sql"
    step.write_text("CREATE TABLE half (id int); SELECT broken")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(dsn, tmp_path)
    step.write_text("CREATE TABLE half (id int)")
    await migrate(dsn, tmp_path)


async def test_a_step_changed_after_it_was_applied_is_refused(
    database: DatabaseFactory, tmp_path: Path
) -> None:
    dsn = await database()
    folder = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    await migrate(dsn, folder)
    with (folder / "folded" / "0001_renames.sql").open("a") as step:
        step.write("-- an afterthought")
    with pytest.raises(MigrationError, match="0001_renames was changed"):
        await migrate(dsn, folder)


@pytest.mark.parametrize("name", ["0099_colours", "0099_no_colours.breaks"])
async def test_older_code_works_on_a_schema_that_grew_and_refuses_one_that_lost_something(
    database: DatabaseFactory, tmp_path: Path, name: str
) -> None:
    dsn = await database()
    newer = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (newer / f"{name}.sql").write_text("CREATE TABLE colours (name text PRIMARY KEY)")
    await migrate(dsn, newer)
    if name.endswith(".breaks"):
        with pytest.raises(MigrationError, match="of a newer version: start that one"):
            await migrate(dsn, MIGRATIONS)
    else:
        await migrate(dsn, MIGRATIONS)


async def test_every_query_fits_the_schema(database: DatabaseFactory) -> None:
    service, keys = await database(), await database()
    await migrate(service, MIGRATIONS)
    await migrate(keys, vault.MIGRATIONS, chassis=False)
    conn = await asyncpg.connect(service)
    await conn.execute("CREATE SCHEMA rebuilt")
    for queries in (apply.Q, outbox.Q, migrations.Q):
        await check_queries(conn, queries)
    for name, text in rebuild.Q:
        if not name.endswith("_beside"):  # statements about a schema, no queries
            await conn.prepare(text)
    await conn.close()
    conn = await asyncpg.connect(keys)
    await check_queries(conn, vault.Q)
    await conn.close()
