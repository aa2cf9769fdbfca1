"""A batch's people in every order, of every status, by name and number: each exactly once."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.postgres import Connection, connect
from contracts.outcomes import Outcome, RecipientStatus
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.sealed import RecipientSecrets
from services.projections.api.parameters import Sort
from services.projections.domain.batch import Batch
from services.projections.domain.searching import Search, folded
from services.projections.generations.definition import definition, stay_in
from services.projections.generations.live import prepare
from services.projections.handlers import fold_events
from services.projections.people import Wanted, people
from services.projections.progress_rows import progress_of_row
from services.projections.store import Reads
from tests.batch_story import Story
from tests.conftest import databases
from tests.log_of_batches import OneKey
from tests.log_of_calls import SEAL

if TYPE_CHECKING:
    from asyncpg import Record

BATCH = UUID(int=7)
PEOPLE = [
    ("Zoë", "+493012345001"), ("zoe", "+493012345002"), ("Ann 30", "+33600000003"),
    ("ANN", "+33600000004"), (None, "+33600000005"), ("", "0301234"), ("Łukasz", "+48301234"),
    ("100%", "+491111"), ("Ann Lee", "+4930999"), ("x" * 300, "+493012345002"),
    ("Lee, Ann", "+12025550123"), ("ßa", "+12025550124"), ("_", "+12025550125"),
]  # fmt: skip
SEARCHES = [
    None, "ann", "ANN lee", "zoé", "+49 (0)30 123-45", "030 1234", "(030) 1234", "0", "%", "_",
    "ann 30", "lee 202 555", "nobody", "ss", "1 (202) 555\N{NON-BREAKING HYPHEN}01", "5",
]  # fmt: skip
SORTS = get_args(Sort)


class Town(Story):
    """The same batch, of people with names."""

    def chunk(self) -> RecipientsAdded:
        told = super().chunk()
        assert isinstance(told, RecipientsAdded)
        return told.model_copy(
            update={
                "recipients": tuple(
                    RecipientEntry(
                        recipient_id=self.recipient_id(row),
                        row=row,
                        sealed=SEAL.close(RecipientSecrets(phone_number=number, name=name)),
                    )
                    for row, (name, number) in enumerate(PEOPLE, 1)
                )
            }
        )


@pytest.fixture(scope="module")
async def model(postgres: str) -> AsyncIterator[Connection]:
    async with databases(postgres) as make:
        dsn = await make()
        await prepare(dsn, definition())
        conn = await connect(dsn, application_name="test")
        await stay_in(conn, 1)
        story = Town(SEAL, BATCH, len(PEOPLE))
        chunk = story.chunk()
        ended = [Outcome.COMPLETED, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.INVALID]
        await fold_events(
            conn,
            [
                story.created(), chunk, story.started(), chunk,
                *[story.completed(row, outcome) for row, outcome in enumerate(ended * 2, 1)],
                story.queued(9), story.placing(10), story.returned(11),
                story.removed(2), story.removed(11),
            ],
            keys=OneKey(),
        )  # fmt: skip
        await fold_events(conn, [chunk], keys=OneKey())
        yield conn
        await conn.close()


def oracle(rows: "list[Record]", batch: Batch, wanted: Wanted) -> list[int]:
    found = []
    for row in rows:
        progress = progress_of_row(row)
        seen = batch.shown(progress)
        key: dict[str, Any] = {
            "row": "",
            "name": folded(row["name"] or "")[:100],
            "phone_number": row["phone_number"],
            "status": seen.status,
            "outcome": seen.outcome or "",
            "attempts": progress.attempt,
        }
        fits = wanted.status in {None, seen.status} and wanted.outcome in {None, seen.outcome}
        if fits and (wanted.search is None or finds(wanted.search, row)):
            found.append((key[wanted.by], row["row"]))
    return [row for _, row in sorted(found, reverse=wanted.backwards)]


def finds(search: Search, row: "Record") -> bool:
    """The same in plain words, of a key and a number."""
    name = folded(row["name"] or "")
    if all(holds(name, pattern) for pattern in search.patterns):
        return True
    named = all(holds(name, pattern) for pattern in search.beside_number)
    return named and any(holds(row["phone_number"], pattern) for pattern in search.numbers)


def holds(text: str, pattern: str) -> bool:
    return pattern[1:-1].replace("\\%", "%").replace("\\_", "_").replace("\\\\", "\\") in text


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    status=st.sampled_from([None, None, *RecipientStatus]),
    outcome=st.sampled_from([None, None, *Outcome]),
    search=st.sampled_from(SEARCHES),
    sort=st.sampled_from(SORTS),
    size=st.integers(1, 5),
)
async def test_pages_of_any_order_filter_and_search_hold_each_who_fits_once(
    model: Connection, status: RecipientStatus | None, outcome: Outcome | None,
    search: str | None, sort: str, size: int,
) -> None:  # fmt: skip
    ((batch, _),) = await Reads(model).batches("default", [BATCH])
    everyone = await model.fetch("SELECT * FROM recipients WHERE row IS NOT NULL AND NOT removed")
    walked: list[int] = []
    last = None
    while True:
        by, backwards = sort.removeprefix("-"), sort.startswith("-")
        wanted = Wanted(status, outcome, Search.of(search), by, backwards, last, size)
        page = await people(model, batch, wanted)
        walked += [row["row"] for row in page]
        assert len(walked) <= len(PEOPLE)
        if len(page) < size:
            break
        last = page[-1]["sorted_by"], page[-1]["row"], page[-1]["recipient_id"]
    assert walked == oracle(everyone, batch, wanted)


@pytest.mark.parametrize(
    ("typed", "rows"),
    [
        ("+49 (0)30 123-45", [1, 10]),
        ("030 1234", [1, 6, 7, 10]),
        ("(0 30) 12.34/5", [1, 10]),
        ("0049 30 999", [9]),
        ("0001", []),
        ("12345 001", [1]),
        ("1 (202) 555\N{NON-BREAKING HYPHEN}01", [12, 13]),
        ("zoe 3012", [1]),
        ("3 0", [1, 3, 6, 7, 9, 10]),
        ("lukasz", [7]),
        ("SSA", [12]),
        ("%", [8]),
        ("x" * 100, [10]),
    ],
)
async def test_people_are_found_by_number_and_name_as_one_types_them(
    model: Connection, typed: str, rows: list[int]
) -> None:
    ((batch, _),) = await Reads(model).batches("default", [BATCH])
    wanted = Wanted(None, None, Search.of(typed), "row", backwards=False, after=None, limit=50)
    assert [row["row"] for row in await people(model, batch, wanted)] == rows
