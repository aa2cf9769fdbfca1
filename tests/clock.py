"""A house whose services live at another time, so that the edge of a window is met and not awaited.

Every service takes the time from its database's `clock_timestamp()`.  Here each database gets a
function of that name that adds a shift to PostgreSQL's own, and is told to look for names among
ours first.  What is not shifted, and therefore what a test must mind:

- The carrier and its ledger (`at`, and a call's `started_at`, `answered_at` and `ended_at`) keep
  real time; `shown` turns theirs into ours.  A delay counted from `ended_at` (a retry policy's) is
  thus too long or over at once, by the shift: batches here retry nothing by themselves.  A look-up
  at the carrier asks for calls `since` our time and finds none: nothing here may be left in doubt.
- What has to leave within so many seconds is measured on the machine's own clock: a request
  allowed before a jump would leave after it.  So: no jump while calls are live or may be placed;
  the edge itself is passed in real time, a few seconds after a jump to just before it.
"""

import asyncio
from bisect import bisect
from datetime import UTC, datetime, timedelta

import asyncpg

from tests.house import House, until

SERVICES = ("ingest", "scheduler", "dialer", "projections")
OF_OURS = """
CREATE TABLE public.clock_shift (by interval NOT NULL);
INSERT INTO public.clock_shift VALUES ('0');
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + by FROM public.clock_shift';
DO $$
DECLARE
    stamped record;
BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
    FOR stamped IN
        SELECT table_schema AS s, table_name AS t, column_name AS c FROM information_schema.columns
        WHERE column_default = 'clock_timestamp()'
    LOOP
        EXECUTE format(
            'ALTER TABLE %I.%I ALTER %I SET DEFAULT public.clock_timestamp()',
            stamped.s, stamped.t, stamped.c
        );
    END LOOP;
END $$;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Clock:
    """Of all the services of one house."""

    def __init__(self, house: House) -> None:
        self._databases = [house.endpoints["databases"][name] for name in SERVICES]
        self._jumped_at: list[datetime] = []
        self._shifts: list[timedelta] = [timedelta()]
        asyncio.run(self._everywhere(OF_OURS))

    def set(self, to: datetime) -> None:
        """Only while no call is live; the services notice within two seconds."""
        shift = to - datetime.now(UTC)
        asyncio.run(self._everywhere("UPDATE public.clock_shift SET by = $1", shift))
        self._jumped_at.append(datetime.now(UTC))
        self._shifts.append(shift)

    def shown(self, real: str) -> datetime:
        """What our clock showed at an instant of the ledger."""
        at = datetime.fromisoformat(real)
        return at + self._shifts[bisect(self._jumped_at, at)]

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shifts[-1]

    def until(self, instant: datetime) -> None:
        until(lambda: self.now() >= instant, f"{instant}", 30, every=0.02)

    async def _everywhere(self, statements: str, *values: object) -> None:
        await asyncio.gather(*(_execute(dsn, statements, *values) for dsn in self._databases))


async def _execute(dsn: str, statements: str, *values: object) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements, *values)
    finally:
        await connection.close()
