"""All that a "why" is told from, read in the snapshot of its batch: nothing counted at length."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING

from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.eligibility import Code, Reason, Suppression
from contracts.sealed import digest_of
from services.projections.domain.batch import Batch
from services.projections.domain.why import Person, before, reasons_for
from services.projections.domain.words import Telling
from services.projections.progress_rows import progress_of_row

if TYPE_CHECKING:
    from asyncpg import Record

Q = load_queries(__file__, "why.sql")


async def explained(
    conn: Connection, batch: Batch, row: "Record", now: datetime, listed: Suppression | None
) -> tuple[tuple[Reason, ...], Telling]:
    """`listed`: what `suppression_of` found of the number."""
    person = replace(await _person(conn, row), suppression=listed)
    reasons = reasons_for(batch, person, now)
    telling = Telling(batch, person, now)
    for reason in reasons:
        match reason.code:
            case Code.NO_FREE_SLOT:
                telling = await _in_line(conn, telling)
            case Code.BATCH_PAUSED:
                by = await conn.fetchval(Q.paused_by, batch.batch_id, batch.turned_by)
                telling = replace(telling, paused_by=by)
            case _:
                pass
    return reasons, telling


async def suppression_of(
    conn: Connection, account_id: str, phone_number: str | None, pepper: bytes | None
) -> Suppression | None:
    """None also where the number or the pepper is not to be had."""
    if phone_number is None or pepper is None:
        return None
    entry = await conn.fetchrow(Q.suppression, account_id, digest_of(pepper, phone_number))
    return None if entry is None else Suppression(entry["expires_at"])


async def _person(conn: Connection, row: "Record") -> Person:
    same = row["same_number_as"]
    earlier = None if same is None else await conn.fetchrow(Q.same_number, same)
    return Person(
        row=row["row"],
        progress=progress_of_row(row),
        zones=tuple(filter(None, (row["zones"] or "").split(","))),
        not_before=row["not_before"],
        same_number=None if earlier is None else progress_of_row(earlier),
    )


async def _in_line(conn: Connection, telling: Telling) -> Telling:
    line = before(telling.batch, telling.person, telling.now)
    counted = await conn.fetchrow(
        Q.ahead,
        telling.batch.batch_id,
        line.open,
        line.turn.asked,
        line.turn.due,
        line.row,
        line.at_any_time,
        telling.now,
        [asdict(each) for each in line.called],
    )
    return telling if counted is None else replace(telling, **counted)
