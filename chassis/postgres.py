"""A frozen or lost process must not stop the others: every session here lets go by itself.

After an error of TRANSIENT the transaction left no trace; or, if the connection was lost at COMMIT,
it may stand: so every transaction is written to be safe when it is run again.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg
import structlog

from chassis import metrics

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool, Connection = asyncpg.Pool, asyncpg.Connection

T = TypeVar("T")
log = structlog.get_logger()


class SupersededError(Exception):
    """Newer code has taken over what we write: nothing is written until that code is deployed."""


LOST: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,  # "connection is closed", from the client's side
    asyncpg.InternalClientError,  # what a query meets on a connection that is breaking just now
    ConnectionError,
)
"""The session is gone, and with it what was not committed."""
TRANSIENT: tuple[type[Exception], ...] = (
    *LOST,
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,  # connections, memory or room on the disk: it passes
    asyncpg.PostgresIOError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    OSError,  # refused, reset; asyncio's TimeoutError is one
)

REPLACED: tuple[type[Exception], ...] = (
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
)
"""Another database is being put in the place of ours: the process ends, and starts on that one."""

LIMITS = {
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "30s",
    "lock_timeout": "5s",
    "statement_timeout": "25s",
}


async def stand_back(what: str, attempt: int, error: Exception, *, longest: float = 5.0) -> None:
    """Before the next attempt: says what happened, then waits 50 ms, doubling."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        # asyncpg rolls back on a lost connection and raises that loss in place of the cancellation.
        raise asyncio.CancelledError from error
    metrics.RETRIES.labels(what).inc()
    log.warning("transient_failure", what=what, attempt=attempt, error=type(error).__name__)
    await asyncio.sleep(min(longest, 0.05 * 2.0 ** min(attempt, 10)))


class Session(asyncpg.Connection):
    """Nothing here outlives its transaction, so nothing is cleared up when a session is let go."""

    _schema: str | None = None

    def get_reset_query(self) -> str:
        return ""

    async def moved_to(self, schema: str) -> None:
        """What was prepared for another schema is forgotten: its rows may have other columns."""
        if self._schema not in {None, schema}:
            await self.reload_schema_state()
        self._schema = schema


async def _prepare(conn: Connection) -> None:
    await conn.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def retrying(
    what: str,
    act: Callable[[], Awaitable[T]],
    *,
    attempts: int | None = None,
    on_failure: Callable[[Exception], None] | None = None,
) -> T:
    """The result of a whole transaction, run again while what it meets is transient; it is logged.

    Without `attempts` it waits for the database as long as it takes.
    """
    attempt = 0
    while True:
        try:
            return await act()
        except TRANSIENT as error:
            attempt += 1
            if on_failure is not None:
                on_failure(error)
            if attempts is not None and attempt >= attempts:
                raise
            await stand_back(what, attempt, error)


async def connect(dsn: str, *, application_name: str, **limits: str) -> Connection:
    """One session of its own, waiting for the database."""
    settings = LIMITS | {"application_name": application_name} | limits

    async def once() -> Connection:
        return await asyncpg.connect(dsn, server_settings=settings, timeout=10)

    conn: Connection = await retrying(f"connect {application_name}", once)
    await _prepare(conn)
    return conn


async def open_pool(
    dsn: str,
    *,
    application_name: str,
    min_size: int = 1,
    max_size: int = 10,
    settings: Mapping[str, str] | None = None,
) -> Pool:
    """A pool whose sessions speak UTC and jsonb and let go in time; waits for the database."""
    options: dict[str, Any] = {
        "min_size": min_size,
        "max_size": max_size,
        "init": _prepare,
        "connection_class": Session,
        "timeout": 10,
        "command_timeout": 60,
        "server_settings": LIMITS | {"application_name": application_name} | dict(settings or {}),
    }

    async def once() -> Pool:
        return await asyncpg.create_pool(dsn, **options)

    return await retrying(f"connect {application_name}", once)
