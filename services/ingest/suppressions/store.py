"""Entries by digest: an older version never replaces a newer one, and no number is kept."""

import asyncio
import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.directory import SuppressionAdded, SuppressionEvent
from services.ingest.domain.suppressions import Entry
from services.ingest.reading.policy import DIGEST_BYTES, Suppressed
from services.ingest.store import lock_entry

Q = load_queries(__file__)

LEASE = timedelta(seconds=60)
"""How long a request may be silent before another may have its Idempotency-Key."""


async def lock_account(conn: Connection, account_id: str) -> None:
    """Those who write an account's entries follow each other, each for a short transaction."""
    await lock_entry(conn, f"suppressions:{account_id}")


async def entries(
    conn: Connection, account_id: str, digests: Collection[bytes]
) -> dict[bytes, Entry]:
    rows = await conn.fetch(Q.entries, account_id, list(digests))
    return {
        row["digest"]: Entry(
            row["version"], row["active"], row["source"], row["reason"], row["expires_at"]
        )
        for row in rows
    }


async def fold(conn: Connection, events: Sequence[SuppressionEvent]) -> None:
    await conn.execute(
        Q.fold_suppressions,
        [event.account_id for event in events],
        [bytes.fromhex(event.digest) for event in events],
        [event.version for event in events],
        [isinstance(event, SuppressionAdded) for event in events],
        [event.source for event in events],
        [event.reason for event in events],
        [event.expires_at for event in events],
    )


async def suppressed_of(
    conn: Connection, account_id: str, pepper: bytes, at: datetime
) -> Suppressed:
    """All that are in force at an instant; where there are none, asking it costs nothing."""
    found = await conn.fetchval(Q.all_in_force, account_id, at, DIGEST_BYTES)
    if found is None:
        return Suppressed()
    return await asyncio.to_thread(_suppressed, pepper, found)


def _suppressed(pepper: bytes, found: bytes) -> Suppressed:
    """From the order of bytes to that of signed numbers: their upper half comes first."""
    digests = array("q")
    digests.frombytes(found)
    if sys.byteorder == "little":
        digests.byteswap()
    upper = bisect_left(digests, True, key=lambda digest: digest < 0)
    return Suppressed(pepper, digests[upper:] + digests[:upper])
