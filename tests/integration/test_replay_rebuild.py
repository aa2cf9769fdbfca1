"""The read model is the log."""

import asyncio
import gc
import socket
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from chassis import replay as replaying
from chassis.migrations import migrate
from chassis.postgres import Connection
from chassis.rebuild import Rebuildable, RebuildError, rebuild
from chassis.records import Received
from contracts.topics import BATCHES
from tests.conftest import DatabaseFactory
from tests.counter import MIGRATIONS, batch, count, counted, counter, renamed, running, total

SPEC = Rebuildable("scheduler", [BATCHES], count, MIGRATIONS)


async def test_rebuilt_from_the_first_event_it_is_equal_and_takes_the_live_one_s_place(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        await service.publish([renamed(b, n) for n in range(1, 51) for b in range(5)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        report = await rebuild(dsn, kafka, topic_prefix, SPEC)
        assert (report.equal, report.swapped, report.records) == (True, True, 250)
        assert await counted(service.pool) == {batch(b): list(range(1, 51)) for b in range(5)}
        await service.publish([renamed(1, 51)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        assert await total(service.pool) == 251, "the service goes on where it stood"


async def test_a_difference_is_told_by_its_keys_and_the_live_one_stays(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        await service.publish([renamed(1, n) for n in range(1, 11)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        await service.pool.execute("UPDATE renames SET command_no = 99 WHERE command_no = 3")
        report = await rebuild(dsn, kafka, topic_prefix, SPEC)
        assert not report.equal
        assert not report.swapped
        assert [(t.name, t.rows, t.missing, t.surplus) for t in report.tables] == [
            ("renames", 10, 1, 1)
        ]
        assert 99 in (await counted(service.pool))[batch(1)]

        forced = await rebuild(dsn, kafka, topic_prefix, SPEC, force=True)
        assert forced.swapped
        assert await counted(service.pool) == {batch(1): list(range(1, 11))}


async def test_only_what_the_service_had_read_is_rebuilt(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        await service.publish([renamed(1, 1)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        await service.publish([renamed(1, 2)])
        report = await rebuild(dsn, kafka, topic_prefix, SPEC)
        assert (report.equal, report.records) == (True, 1)


async def test_what_fills_many_pages_and_fetches_is_folded_once_and_in_its_order(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST", 7)
    monkeypatch.setattr(replaying, "AT_A_STRETCH", 2)
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        await service.publish([renamed(b, n) for n in range(1, 21) for b in range(9)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
    pages: list[list[tuple[UUID | None, int, int]]] = []

    async def note(_: Connection, records: list[Received]) -> None:
        pages.append([(r.batch_id, r.partition, r.offset) for r in records])
        await asyncio.sleep(0)

    report = await rebuild(dsn, kafka, topic_prefix, replace(SPEC, fold=note))
    places = [place for page in pages for place in page]
    assert (report.records, len(places), len(set(places))) == (180, 180, 180)
    assert len(pages) > 9
    for partition in range(BATCHES.partitions):
        offsets = [offset for _, it, offset in places if it == partition]
        assert offsets == list(range(len(offsets)))


async def test_a_fold_that_fails_ends_the_rebuild_and_leaves_the_live_one(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST", 7)
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        await service.publish([renamed(1, n) for n in range(1, 51)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()

        async def fail(_: Connection, records: list[Received]) -> None:
            raise ZeroDivisionError(len(records))

        with pytest.raises(ZeroDivisionError):
            await rebuild(dsn, kafka, topic_prefix, replace(SPEC, fold=fail))
        assert await total(service.pool) == 50
        assert gc.isenabled()


async def test_a_database_lost_on_the_way_is_said_and_the_live_one_stays(
    kafka: str, postgres: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        await service.publish([renamed(1, n) for n in range(1, 11)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()

        async def lose(conn: Connection, records: list[Received]) -> None:
            killer = await asyncpg.connect(postgres)
            await killer.execute("SELECT pg_terminate_backend($1)", conn.get_server_pid())
            await killer.close()
            await count(conn, records)

        with pytest.raises(RebuildError, match="connection to PostgreSQL is lost"):
            await rebuild(dsn, kafka, topic_prefix, replace(SPEC, fold=lose))
        assert await total(service.pool) == 10


async def test_a_log_that_is_away_is_said_and_nothing_stays_open(
    database: DatabaseFactory, topic_prefix: str
) -> None:
    dsn = await database()
    await migrate(dsn, MIGRATIONS)
    left_open: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: left_open.append(context))
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        away = "{}:{}".format(*nobody.getsockname())
    with pytest.raises(RebuildError, match=f"Kafka at {away} does not answer"):
        await rebuild(dsn, away, topic_prefix, SPEC)
    gc.collect()
    assert left_open == []
