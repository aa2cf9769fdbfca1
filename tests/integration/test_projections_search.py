"""Batches are found as people type, and no walk over them loses or repeats one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.postgres import Connection, connect
from contracts import batches, status
from contracts.outcomes import Outcome, RecipientStatus
from contracts.statuses import BatchStatus
from services.projections.generations.definition import definition, stay_in
from services.projections.generations.live import prepare
from services.projections.handlers import fold_events
from services.projections.store import Reads
from tests.batch_story import AT, Story, a_story, position, until_counted
from tests.conftest import DatabaseFactory
from tests.counter import until
from tests.log_of_batches import OneKey, a_log, interleaved
from tests.log_of_calls import SEAL
from tests.read_side import ReadSide, read_side

STATUSES = "SELECT batch_id, status FROM batches"
IGDIR = "I\N{LATIN SMALL LETTER G WITH BREVE}d\N{LATIN SMALL LETTER DOTLESS I}r"


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads batches of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


@pytest.fixture
async def model_dsn(database: DatabaseFactory) -> str:
    dsn = await database()
    await prepare(dsn, definition())
    return dsn


@pytest.fixture
async def model(model_dsn: str) -> AsyncIterator[Connection]:
    conn = await member(model_dsn)
    yield conn
    await conn.close()


async def member(dsn: str) -> Connection:
    conn = await connect(dsn, application_name="test")
    await stay_in(conn, 1)
    return conn


async def created(reads: ReadSide, name: str, minutes: int = 0) -> Story:
    story = await a_story(reads)
    at = AT + timedelta(minutes=minutes)
    await reads.log([story.created(name).model_copy(update={"at": at})])
    await seen(reads, story, 1)
    return story


async def seen(reads: ReadSide, story: Story, command_no: int) -> None:
    path = f"/v1/batches/{story.batch_id}"
    await reads.get(path, position("batch", story.batch_id, "command", command_no))


async def found(reads: ReadSide, search: str, **parameters: object) -> list[str]:
    return [each["name"] for each in await reads.pages("/v1/batches", search=search, **parameters)]


async def test_a_batch_is_found_in_any_case_with_or_without_accents_from_one_character_on(
    reads: ReadSide,
) -> None:
    for minutes, name in enumerate(("Été à Łódź", "STRASSE 100%", "ΟΔΟΣ_7", "東京の夏 🎉", IGDIR)):
        await created(reads, name, minutes)
    for search, names in {
        "ete": ["Été à Łódź"],
        "LODZ été": ["Été à Łódź"],
        "straße": ["STRASSE 100%"],
        "00%": ["STRASSE 100%"],
        "οδος": ["ΟΔΟΣ_7"],
        "_": ["ΟΔΟΣ_7"],
        "\N{FULLWIDTH DIGIT SEVEN}": ["ΟΔΟΣ_7"],
        "京": ["東京の夏 🎉"],
        "🎉": ["東京の夏 🎉"],
        "igdir": [IGDIR],
        IGDIR.upper(): [IGDIR],
        "ete strasse": [],
        "ss_": [],
        "\\": [],
    }.items():
        assert await found(reads, search, limit=1) == names, search


async def test_a_batch_is_found_by_its_new_name_and_no_longer_when_it_is_deleted(
    reads: ReadSide,
) -> None:
    story = await created(reads, "Quince before")
    seal = await reads.seal(story.batch_id)
    await reads.log([story.command(batches.BatchRenamed, 2, name=seal.close("Medlar after"))])
    await seen(reads, story, 2)
    assert await found(reads, "quince") == []
    assert await found(reads, "medlar") == ["Medlar after"]
    await reads.log([story.command(batches.BatchDeleted, 3)])
    headers = {"Rollcall-Min-Position": position("batch", story.batch_id, "command", 3)}
    answer = await reads.http.get("/v1/batches", params={"search": "medlar"}, headers=headers)
    assert answer.json()["data"] == []


async def test_a_batch_is_found_by_the_status_that_it_is_shown_with(reads: ReadSide) -> None:
    story = await a_story(reads, people=1)
    completed = story.status(status.BatchCompleted, BatchStatus.COMPLETED)
    await reads.log([story.created("Damson"), story.chunk(), completed])
    await reads.get("/v1/batches", position("batch", story.batch_id, "sequence", 1))
    await seen(reads, story, 1)
    assert await found(reads, "damson", status="RUNNING") == ["Damson"]
    assert await found(reads, "damson", status="COMPLETED") == []
    await reads.log([story.completed(1, Outcome.COMPLETED)])
    await until_counted(reads, story, completed=1)
    assert await found(reads, "damson", status="RUNNING") == []
    assert await found(reads, "damson", status="COMPLETED") == ["Damson"]


@pytest.mark.parametrize("end_first", [True, False])
async def test_who_folds_the_end_and_who_folds_the_last_call_do_not_miss_each_other(
    model_dsn: str, *, end_first: bool
) -> None:
    one, other = [await member(model_dsn) for _ in range(2)]
    story = Story(SEAL, uuid4(), 1)
    await fold_events(one, [story.created(), story.chunk()], keys=OneKey())
    end = story.status(status.BatchCompleted, BatchStatus.COMPLETED)
    told = [end, story.completed(1, Outcome.COMPLETED)]
    first, second = told if end_first else told[::-1]

    async def folded() -> None:
        async with other.transaction():
            await fold_events(other, [second], keys=OneKey())

    async with one.transaction():
        await fold_events(one, [first], keys=OneKey())
        waiting = asyncio.create_task(folded())
        await until(lambda: waits(one, other))
    await waiting
    assert await one.fetchval("SELECT status FROM batches") == "COMPLETED"
    for conn in (one, other):
        await conn.close()


async def waits(one: Connection, other: Connection) -> bool:
    """Asked of the server, by a third party."""
    pid = other.get_server_pid()
    return bool(await one.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.integers(0, 2**32), order=st.integers(0, 2**32))
async def test_whatever_is_read_first_a_batch_is_found_by_what_is_shown_and_its_counts_add_up(
    model: Connection, story: int, order: int
) -> None:
    transaction = model.transaction()
    await transaction.start()
    try:
        for poll in interleaved(Random(order), a_log(Random(story))):
            await fold_events(model, poll, keys=OneKey())
            filed = {row["batch_id"]: row["status"] for row in await model.fetch(STATUSES)}
            for batch, _ in await Reads(model).batches("default", list(filed)):
                assert filed[batch.batch_id] == batch.status
                assert sum(batch.count(status) for status in RecipientStatus) == batch.total
    finally:
        await transaction.rollback()
