"""The read model is the log: whatever order the topics are read in, the tables come out equal."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.postgres import Connection, connect
from chassis.queries import check_queries
from contracts.batches import BatchCreated, BatchDeleted
from contracts.event import Event
from services.projections.domain.evidence import CommandGapError
from services.projections.generations.definition import definition, stay_in
from services.projections.generations.live import prepare
from services.projections.handlers import fold_events
from services.projections.history import Q as TIMELINE
from services.projections.results import RESULTS
from services.projections.store import CALLS, FOLDS, SEARCH, Q
from tests.conftest import DatabaseFactory
from tests.log_of_batches import OneKey, a_log, interleaved

TABLES = (
    "accounts", "agents", "phone_numbers", "suppressions", "tombstones", "batches", "additions",
    "landed_chunks",
    "batch_zones", "recipients", "tallies", "calls", "conversations", "rejections", "paces",
    "batch_names", "batch_variables", "recipient_keys",
    "timeline", "timelines", "commands", "changes", "account_changes",
)  # fmt: skip
OUTLIVE_A_BATCH = {
    "tombstones", "accounts", "agents", "phone_numbers", "suppressions", "changes",
    "account_changes",
}  # fmt: skip


@pytest.fixture
async def model_dsn(database: DatabaseFactory) -> str:
    dsn = await database()
    await prepare(dsn, definition())
    return dsn


@pytest.fixture
async def model(model_dsn: str) -> AsyncIterator[Connection]:
    conn = await connect(model_dsn, application_name="test")
    await stay_in(conn, 1)
    yield conn
    await conn.close()


async def tables_after(conn: Connection, polls: Iterable[list[Event]]) -> dict[str, list[str]]:
    transaction = conn.transaction()
    await transaction.start()
    try:
        for poll in polls:
            await fold_events(conn, poll, keys=OneKey())
        await assert_counts_are_those_of_the_rows(conn)
        return {table: await rows_of(conn, table) for table in TABLES}
    finally:
        await transaction.rollback()


async def rows_of(conn: Connection, table: str) -> list[str]:
    excluded = definition().not_compared.get(table, [])
    row = "(to_jsonb(t) - $1::text[])::text AS row"
    rows = await conn.fetch(f"SELECT {row} FROM {table} AS t", excluded)  # noqa: S608
    return sorted(row["row"] for row in rows)


async def assert_counts_are_those_of_the_rows(conn: Connection) -> None:
    counted = await conn.fetch(
        "SELECT batch_id, standing, count(*) AS recipients FROM recipients"
        " WHERE grant_no > 0 GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert await conn.fetch("SELECT * FROM tallies ORDER BY 1, 2") == counted
    placed = await conn.fetch(
        "SELECT batch_id, date_trunc('minute', requested_at, 'UTC') AS minute, count(*) AS placed,"
        " count(ended_at) AS ended FROM calls WHERE requested_at IS NOT NULL AND stage <> 4"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    paces = "SELECT batch_id, minute, placed, ended FROM paces ORDER BY 1, 2"
    assert await conn.fetch(paces) == placed


async def test_every_statement_fits_the_schema(model: Connection) -> None:
    await check_queries(model, FOLDS)
    await check_queries(model, CALLS)
    await check_queries(model, RESULTS)
    await check_queries(model, Q)
    await model.execute(TIMELINE.told)
    await check_queries(model, TIMELINE)
    await check_queries(model, SEARCH)


async def test_every_table_of_the_model_is_compared(model: Connection) -> None:
    found = await model.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'model_1'")
    assert {row["tablename"] for row in found} == set(TABLES)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.integers(0, 2**32), order=st.integers(0, 2**32))
async def test_any_interleaving_of_the_topics_with_repeats_gives_equal_tables(
    model: Connection, story: int, order: int
) -> None:
    streams = a_log(Random(story))
    at_once = [[event for stream in streams for event in stream]]

    told_in_order = await tables_after(model, at_once)
    told_anyhow = await tables_after(model, interleaved(Random(order), streams))

    assert told_anyhow == told_in_order


async def test_a_missing_command_is_said_and_not_passed_over(model: Connection) -> None:
    streams = a_log(Random(3))
    commands = next(
        stream for stream in streams if isinstance(stream[0], BatchCreated) and len(stream) > 2
    )
    with pytest.raises(CommandGapError, match="command 2 is missing"):
        await fold_events(model, [commands[0], commands[2]], keys=OneKey())


async def test_nothing_of_a_deleted_batch_stays(model: Connection) -> None:
    streams, deletion = a_log_with_a_delete()
    for poll in interleaved(Random(1), streams):
        await fold_events(model, poll, keys=OneKey())
    assert await rows_of_batch(model, deletion) == 0


async def test_a_writer_and_the_delete_of_its_batch_wait_for_each_other(
    model: Connection, model_dsn: str
) -> None:
    streams, deletion = a_log_with_a_delete()
    writes = [event for stream in streams for event in stream if event is not deletion]
    watcher = await connect(model_dsn, application_name="watcher")
    async with model.transaction():
        await fold_events(model, writes, keys=OneKey())
        delete = asyncio.create_task(delete_elsewhere(model_dsn, deletion))
        while not await watcher.fetchval(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity"
            " WHERE application_name = 'deleter' AND wait_event_type = 'Lock')"
        ):
            assert not delete.done()
    await delete
    await watcher.close()
    assert await rows_of_batch(model, deletion) == 0
    await fold_events(model, writes, keys=OneKey())
    assert await rows_of_batch(model, deletion) == 0


def a_log_with_a_delete() -> tuple[list[list[Event]], BatchDeleted]:
    for seed in itertools.count():
        streams = a_log(Random(seed))
        for stream in streams:
            if isinstance(stream[-1], BatchDeleted):
                return streams, stream[-1]
    raise AssertionError


async def delete_elsewhere(dsn: str, deletion: BatchDeleted) -> None:
    conn = await connect(dsn, application_name="deleter")
    await stay_in(conn, 1)
    async with conn.transaction():
        await fold_events(conn, [deletion], keys=OneKey())
    await conn.close()


async def rows_of_batch(conn: Connection, deletion: BatchDeleted) -> int:
    counts = [
        await conn.fetchval(
            f"SELECT count(*) FROM {table} WHERE batch_id = $1",  # noqa: S608
            deletion.batch_id,
        )
        for table in set(TABLES) - OUTLIVE_A_BATCH
    ]
    return sum(counts)
