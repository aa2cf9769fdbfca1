"""Databases are backed up with pg_dump, lost, and put back, while everything runs."""

import asyncio
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from deploy.embedded.postgres_home import postgres_home
from tests.house import House, until

READ = "SELECT coalesce(sum(next_offset), 0) FROM inbox_offsets"


def dump(house: House, database: str, folder: Path) -> Path:
    file = folder / f"{database}.dump"
    _run("pg_dump", "--format=custom", f"--file={file}", house.endpoints["databases"][database])
    return file


def put_in_place(house: House, database: str, backup: Path | None) -> None:
    """The backup, or an empty database, by another name first: nobody meets a half of it.

    Returns when the service has read the log as far as before.
    """
    dsn = house.endpoints["databases"][database]
    read = house.moment(database, READ)
    fresh = f"{database}_restored"
    asyncio.run(_execute(house, f'CREATE DATABASE "{fresh}"'))
    if backup is not None:
        into = urlsplit(dsn)._replace(path=f"/{fresh}").geturl()
        _run("pg_restore", "--exit-on-error", f"--dbname={into}", str(backup))
    asyncio.run(
        _execute(
            house,
            f'DROP DATABASE "{database}" WITH (FORCE)',
            f'ALTER DATABASE "{fresh}" RENAME TO "{database}"',
        )
    )
    until(lambda: _has_read(house, database, read), f"{database} read up", 120)


def _has_read(house: House, database: str, upto: int) -> bool:
    try:
        return bool(house.moment(database, READ) >= upto)
    except asyncpg.UndefinedTableError:
        return False


def _run(program: str, *arguments: str) -> None:
    command = [str(postgres_home() / "bin" / program), *arguments]
    subprocess.run(command, check=True, timeout=120, env={**os.environ, "LC_ALL": "C"})


async def _execute(house: House, *statements: str) -> None:
    connection = await asyncpg.connect(house.endpoints["postgres"])
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
