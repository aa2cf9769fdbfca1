"""A file that breaks off far on is not in the list; a list that lets it in is found out."""

import pytest

from services.ingest import app
from services.ingest.lists.intake import ListIntake
from tests.conftest import DatabaseFactory
from tests.desk import open_desk, settings_for
from tests.faults.mutants.lists import AttachesFirst
from tests.list_desk import ListDesk, counts, form, number, people

ROWS = 20_000
WHOLE = b"phone\n" + b"".join(f"{number(n)}\n".encode() for n in range(ROWS))
BROKEN = WHOLE + b'"an open quote'


async def files_after_a_broken_one(
    intake: type[ListIntake],
    kafka: str,
    database: DatabaseFactory,
    prefix: str,
    patch: pytest.MonkeyPatch,
) -> int:
    """How many files are in a list that had one, and got none but half of another."""
    patch.setattr(app, "ListIntake", intake)
    async with open_desk(await settings_for(kafka, database, prefix)) as desk:
        lists = ListDesk(desk)
        into = (await lists.take(people(1)))["list_id"]
        refused = await lists.send(form(BROKEN), into)
        assert (refused.status_code, refused.json()["code"]) == (422, "csv_parse_error")
        _, files = await lists.kept()
        if intake is ListIntake:
            assert counts(await lists.take(form(WHOLE), into)) == (ROWS + 1, 0, 1)
            assert [row["row"] for row in await lists.rows(into, search=number(7))] == [9]
        return files


async def test_half_a_file_is_in_no_list(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (kafka, database, topic_prefix, monkeypatch)
    assert await files_after_a_broken_one(ListIntake, *said) == 1


async def test_a_list_that_takes_in_half_a_file_is_found_out(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (kafka, database, topic_prefix, monkeypatch)
    assert await files_after_a_broken_one(AttachesFirst, *said) == 2
