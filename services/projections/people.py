"""Pages of a batch's people: in any order, of any status, by name or number, none left out.

What a standing means is asked of the domain, so people are found by what is shown of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.postgres import Connection
from contracts.outcomes import Outcome, RecipientStatus
from services.projections.domain.batch import Batch
from services.projections.domain.searching import Search
from services.projections.domain.standing import progress_of
from services.projections.store import FIRST, LAST, LAST_ROW, SEARCH

if TYPE_CHECKING:
    from asyncpg import Record

Place = tuple[str, int, UUID]
"""Of a person in an order: what they are sorted by, their row and their id."""
KEPT = {"name", "phone_number"}
"""What is sorted by a key of its own, and not by what a standing or a row says."""


@dataclass(frozen=True, slots=True)
class Wanted:
    status: RecipientStatus | None
    outcome: Outcome | None
    search: Search | None
    by: str
    backwards: bool
    after: Place | None
    limit: int

    @property
    def of_any_standing(self) -> bool:
        return self.status is None and self.outcome is None and self.by in {"row", *KEPT}


async def people(conn: Connection, batch: Batch, wanted: Wanted) -> "list[Record]":
    """Each with what it was `sorted_by`."""
    standings = {
        standing: _sorted_by(batch, standing, wanted.by)
        for standing in batch.standings_shown_as(wanted.status, wanted.outcome)
    }
    if wanted.search is None and wanted.by not in KEPT:
        return await _page(conn, batch.batch_id, wanted, standings)
    await conn.execute(SEARCH.plan_for_these_words)
    search = wanted.search or Search(())
    common = (
        batch.batch_id, wanted.by, search.patterns, search.numbers, search.beside_number,
        *(wanted.after or (None, 0, FIRST)), wanted.backwards, wanted.limit,
    )  # fmt: skip
    if wanted.of_any_standing:
        return await conn.fetch(SEARCH.recipients_found, *common)
    keys = list(standings), list(standings.values())
    return await conn.fetch(SEARCH.recipients_found_standing, *common, *keys)


def _sorted_by(batch: Batch, standing: str, by: str) -> str:
    progress = progress_of(standing)
    seen = batch.shown(progress)
    match by:
        case "status":
            return seen.status
        case "outcome":
            return seen.outcome or ""
        case "attempts":
            return f"{progress.attempt:010}"
        case _:
            return ""


async def _page(
    conn: Connection, batch_id: UUID, wanted: Wanted, standings: dict[str, str]
) -> "list[Record]":
    statement = SEARCH.recipients_page_backwards if wanted.backwards else SEARCH.recipients_page
    start = (LAST_ROW, LAST) if wanted.backwards else (0, FIRST)
    begun, *place = wanted.after or (None, *start)
    left = [
        (standing, key, *(place if key == begun else start))
        for standing, key in standings.items()
        if begun is None or key == begun or (key < begun) is wanted.backwards
    ]
    columns = zip(*left, strict=True) if left else [()] * 4
    return await conn.fetch(statement, batch_id, *columns, wanted.limit)
