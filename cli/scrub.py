"""`rollcall scrub`: what deletes have left in the databases' free space is rewritten, for good.

A deleted row's bytes stay in its page, in the statistics of its columns and in the write-ahead log
until something writes over them.  Reads of a table wait while it is written anew.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import asyncpg

from cli.endpoints import NotRunningError, read
from cli.printing import say_failure, say_json, table

DATABASES: Final = ("projections", "vault", "ingest", "scheduler", "dialer")
"""First what holds people in the clear, then the wrapped keys; the others hold seals only."""
LOCKED_FOR: Final = "30s"
FORGET_STATISTICS: Final = """
SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited)
FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


class AtWorkError(Exception):
    """The message says what to do."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    database: str
    seconds: float
    bytes_before: int
    bytes_after: int


async def scrub(data_dir: Path, *, as_json: bool) -> int:
    said = read(data_dir)
    try:
        databases: dict[str, str] = {name: said["databases"][name] for name in DATABASES}
    except KeyError as error:
        raise NotRunningError(f"{data_dir} is not a folder of `rollcall up`: {error}") from error
    done: list[Scrubbed] = []
    try:
        async with alone(databases["vault"]):
            for name, dsn in databases.items():
                done.append(await _database(name, dsn))
            await _write_ahead_log(databases["vault"])
    except AtWorkError as error:
        return say_failure(str(error), as_json=as_json)
    except (OSError, asyncpg.PostgresError) as error:
        reason = f"PostgreSQL: {error}. What was not done can be asked for again."
        return say_failure(reason, as_json=as_json)
    if as_json:
        say_json({"ok": True, "databases": [asdict(each) for each in done]})
    else:
        columns = ("database", "seconds", "bytes before", "bytes after")
        table(columns, [(d.database, f"{d.seconds:.1f}", d.bytes_before, d.bytes_after)
                        for d in done])  # fmt: skip
    return 0


@asynccontextmanager
async def alone(dsn: str) -> AsyncIterator[None]:
    """Two at once would wait for each other's tables.  Raises AtWorkError."""
    conn = await asyncpg.connect(dsn, server_settings={"application_name": "scrub"})
    try:
        if not await conn.fetchval("SELECT pg_try_advisory_lock(hashtext('scrub'))"):
            raise AtWorkError("Another scrub is at work on these databases: wait for its end.")
        yield
    finally:
        await conn.close()


async def _database(name: str, dsn: str) -> Scrubbed:
    conn = await asyncpg.connect(
        dsn, server_settings={"application_name": "scrub", "lock_timeout": LOCKED_FOR}
    )
    try:
        began, before = time.monotonic(), await _size(conn)
        # Statistics quote common values, and those of a table that is empty now are never renewed.
        await conn.execute(FORGET_STATISTICS)
        await conn.execute("ANALYZE")
        await conn.execute("VACUUM (FULL)")
        return Scrubbed(name, time.monotonic() - began, before, await _size(conn))
    finally:
        await conn.close()


async def _size(conn: "asyncpg.Connection[asyncpg.Record]") -> int:
    return int(await conn.fetchval("SELECT pg_database_size(current_database())"))


async def _write_ahead_log(dsn: str) -> None:
    """All of it up to now goes; a server with `wal_recycle` on keeps the files to write over."""
    conn = await asyncpg.connect(dsn, server_settings={"application_name": "scrub"})
    try:
        for _ in range(2):
            await conn.execute("SELECT pg_switch_wal()")
            await conn.execute("CHECKPOINT")
    finally:
        await conn.close()
