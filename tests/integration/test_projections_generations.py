"""The read model is built anew beside the live one: reads never stop, and see nothing of it."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import asyncpg
import pytest

from chassis import replay as replaying
from chassis.apply import Fold
from chassis.postgres import Connection
from chassis.rebuild import RebuildError
from chassis.records import Received
from contracts.batches import BatchDeleted, BatchRenamed
from contracts.event import Event
from contracts.outcomes import Outcome
from services.projections.generations import switching
from services.projections.generations.definition import FOLDED, Definition, definition
from services.projections.generations.live import TooOldError, prepare
from services.projections.generations.tidying import Tidying
from services.projections.handlers import fold
from services.projections.rebuilding import have_model, rebuild
from services.projections.store import reading
from tests.batch_story import Story, a_story
from tests.counter import until
from tests.everything import everything
from tests.log_of_batches import a_log, interleaved
from tests.read_side import ReadSide, read_side

PEOPLE = 3


@pytest.fixture
async def reads(
    kafka: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ReadSide]:
    """Small pages, so that a short log has many."""
    monkeypatch.setattr(replaying, "MOST", 20)
    monkeypatch.setattr(replaying, "AT_A_STRETCH", 5)
    async with read_side(kafka, postgres) as side:
        yield side


def plain(reads: ReadSide) -> Fold:
    return partial(fold, keys=reads.service.ground.seals)


async def generations(reads: ReadSide) -> list[tuple[int, str]]:
    rows = await reads.service.ground.pool.fetch(
        "SELECT number, state FROM generations ORDER BY number"
    )
    return [tuple(row) for row in rows]


def called(story: Story) -> list[Event]:
    told: list[Event] = [story.created(rejected=1), story.started(), story.chunk()]
    for row in range(1, story.people + 1):
        told += [story.queued(row), story.placing(row), story.completed(row, Outcome.BUSY)]
    return [*told, story.conversation(1), story.rejected()]


async def a_log_of_batches(reads: ReadSide, stories: int = 4) -> None:
    """Shuffled, and parts of it twice."""
    for poll in interleaved(Random(5), a_log(Random(4))):
        await reads.log(poll)
    for seed in range(stories):
        told = called(await a_story(reads, PEOPLE))
        again = Random(seed).sample(told[3:], 5)
        await reads.log([*told, *again])
    await reads.caught_up()


async def test_rebuilt_under_load_it_is_equal_and_no_read_ever_fails(reads: ReadSide) -> None:
    await a_log_of_batches(reads, stories=2)
    failed: list[str] = []
    async with meanwhile(partial(look, reads, failed)), meanwhile(partial(load, reads)):
        for number in (2, 3):
            report = await rebuild(reads.settings, plain(reads))
            assert (report.equal, report.swapped, report.resumed) == (True, True, 0), report
            assert report.records > 100
            assert await generations(reads) == [(number, "live")], "the old one is dropped"
    assert failed == []
    await reads.caught_up()
    before = await everything(reads)
    report = await rebuild(reads.settings, plain(reads))
    assert report.equal, report
    assert {table.name for table in report.tables if table.rows} >= {"recipients", "calls"}
    assert await everything(reads) == before


@asynccontextmanager
async def meanwhile(turn: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Again and again, until what is within is done."""
    over = asyncio.Event()

    async def run() -> None:
        while not over.is_set():
            await turn()

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        over.set()
        await task


async def look(reads: ReadSide, failed: list[str]) -> None:
    answer = await reads.http.get("/v1/batches", params={"limit": 500})
    if answer.status_code != 200:
        failed.append(answer.text)
    for batch in answer.json()["data"]:
        counted = batch["recipients"]
        total = sum(counted[status] for status in counted if status not in {"total", "rejected"})
        if total != counted["total"]:
            failed.append(f"{counted}")


async def load(reads: ReadSide) -> None:
    await reads.log(called(await a_story(reads, PEOPLE)))
    await reads.caught_up()


async def test_killed_in_the_middle_it_goes_on_where_it_was(reads: ReadSide, postgres: str) -> None:
    await a_log_of_batches(reads)
    pages = count(1)

    async def die_in_the_fourth(conn: Connection, records: list[Received]) -> None:
        if next(pages) == 4:
            killer = await asyncpg.connect(postgres)
            await killer.execute("SELECT pg_terminate_backend($1)", conn.get_server_pid())
            await killer.close()
        await plain(reads)(conn, records)

    with pytest.raises(RebuildError, match="it goes on from there"):
        await rebuild(reads.settings, die_in_the_fourth)
    assert await generations(reads) == [(1, "live"), (2, "building")]
    told: list[tuple[int, int]] = []
    report = await rebuild(reads.settings, plain(reads), told=lambda *at: told.append(at))
    assert (report.equal, report.swapped) == (True, True), report
    assert report.resumed >= 60, "three pages were read before"
    assert report.records <= reads.logged - 60
    assert told[0][0] == report.resumed
    assert told[-1][0] == told[-1][1] == reads.logged
    assert await generations(reads) == [(2, "live")]


async def test_another_process_takes_a_share_of_a_long_log(
    reads: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_log_of_batches(reads)
    monkeypatch.setattr(switching, "NEARLY", 0)
    monkeypatch.setattr(switching, "MUCH", 0)
    report = await rebuild(reads.settings, plain(reads), helped=True)
    assert (report.equal, report.swapped, report.records) == (True, True, reads.logged), report


async def test_a_killed_rebuild_is_started_again_from_the_command_line(reads: ReadSide) -> None:
    await a_log_of_batches(reads, stories=1)
    async with reads.service.ground.pool.acquire() as conn, conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock_shared(7301)")  # it cannot be put in place
        first = await rebuild_typed(reads)
        await until(partial(_waits_for_the_writers, reads))
        first.kill()
        await first.communicate()
    again = await rebuild_typed(reads)
    said, _ = await again.communicate()
    report = json.loads(said)["services"]["projections"]
    assert again.returncode == 0
    assert (report["equal"], report["resumed"], report["records"]) == (True, reads.logged, 0)


async def rebuild_typed(reads: ReadSide) -> asyncio.subprocess.Process:
    told = {
        "ROLLCALL_KAFKA": reads.settings.kafka,
        "ROLLCALL_POSTGRES_DSN": reads.settings.postgres_dsn.get_secret_value(),
        "ROLLCALL_VAULT_DSN": reads.settings.vault_dsn.get_secret_value(),
        "ROLLCALL_KEY_ENCRYPTION_KEY": reads.settings.key_encryption_key.get_secret_value(),
        "ROLLCALL_HTTP_PORT": "0",
        "ROLLCALL_TOPIC_PREFIX": reads.settings.topic_prefix,
    }
    typed = ("-m", "cli", "rebuild", "projections", "--json")
    return await asyncio.create_subprocess_exec(
        sys.executable, *typed, env=os.environ | told, stdout=asyncio.subprocess.PIPE
    )


async def _waits_for_the_writers(reads: ReadSide) -> bool:
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE objid = 7301 AND NOT granted)"
    return bool(await reads.service.ground.pool.fetchval(waits))


async def test_a_difference_is_told_and_the_live_one_stays_until_somebody_wants_it(
    reads: ReadSide,
) -> None:
    await a_log_of_batches(reads)
    pool = reads.service.ground.pool
    await pool.execute("UPDATE model_1.recipients SET attempt = 7 WHERE row = 2 AND grant_no > 0")
    report = await rebuild(reads.settings, plain(reads))
    assert not report.swapped
    wrong = [table for table in report.tables if not table.equal]
    assert [table.name for table in wrong] == ["recipients"]
    assert wrong[0].missing == wrong[0].surplus > 0
    assert len(wrong[0].keys) == min(5, wrong[0].missing)
    assert await generations(reads) == [(1, "live")], "what was built is dropped"
    report = await rebuild(reads.settings, plain(reads), force=True)
    assert report.swapped
    assert (await rebuild(reads.settings, plain(reads))).equal


async def test_who_lost_the_writers_on_the_way_does_not_compare_what_they_wrote_meanwhile(
    reads: ReadSide, postgres: str
) -> None:
    await a_log_of_batches(reads, stories=1)
    ended: list[str] = []

    async def lose_the_writers(conn: Connection, records: list[Received]) -> None:
        await plain(reads)(conn, records)
        if not ended:
            killer = await asyncpg.connect(postgres)
            ended.extend(await killer.fetchval(
                "SELECT array_agg(pg_terminate_backend(pid)::text) FROM pg_stat_activity"
                " WHERE application_name = 'level' AND datname <> current_database()"
            ) or [])  # fmt: skip
            await killer.close()
            await load(reads)

    report = await rebuild(reads.settings, lose_the_writers)
    assert ended, "it was held, and lost"
    assert (report.equal, report.swapped) == (True, True), report


async def test_who_holds_the_writers_is_ended_if_it_stands_still(reads: ReadSide) -> None:
    await a_log_of_batches(reads, stories=1)
    limits: list[list[str]] = []

    async def noted(conn: Connection, records: list[Received]) -> None:
        await plain(reads)(conn, records)
        limits.append(
            await conn.fetchval(
                "SELECT ARRAY[current_setting('idle_in_transaction_session_timeout'),"
                " current_setting('transaction_timeout')]"
            )
        )
        if len(limits) < 40:  # so that there is something to read also while writers are held
            await reads.log(called(await a_story(reads, PEOPLE)))

    await rebuild(reads.settings, noted)
    assert limits[0] == ["10s", "0"], "of a page: as long as it takes, but never idle"
    assert limits[-1] == ["10s", "30s"], "of the switch"


async def test_what_nobody_builds_any_more_is_dropped(
    reads: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_log_of_batches(reads, stories=1)

    async def die(_: Connection, records: list[Received]) -> None:
        raise ZeroDivisionError(len(records))

    with pytest.raises(ZeroDivisionError):
        await rebuild(reads.settings, die)
    tidying = Tidying(reads.service.ground.pool)
    await tidying.look()
    assert await generations(reads) == [(1, "live"), (2, "building")], "it may be started again"
    monkeypatch.setattr("services.projections.generations.tidying.ABANDONED_AFTER", 0)
    async with reads.service.ground.pool.acquire() as builder:
        assert await builder.fetchval("SELECT pg_try_advisory_lock(7303)")
        await tidying.look()
        assert await generations(reads) == [(1, "live"), (2, "building")], "it is built on"
        await builder.execute("SELECT pg_advisory_unlock(7303)")
    await tidying.look()
    assert await generations(reads) == [(1, "live")]
    assert (await rebuild(reads.settings, plain(reads))).equal


async def test_a_batch_that_was_set_aside_is_gone_with_its_delete(reads: ReadSide) -> None:
    story = await a_story(reads, PEOPLE)
    gap = story.command(BatchRenamed, 5, name="")
    await reads.log([story.created(), story.chunk(), gap])
    await until(partial(_says_of_the_log, reads, "1 batches could not be applied"))
    await reads.log([story.command(BatchDeleted, 6)])
    await reads.caught_up()
    assert await reads.refusal(f"/v1/batches/{story.batch_id}") == (404, "batch_not_found")
    assert await reads.service.ground.pool.fetchval("SELECT count(*) FROM model_1.recipients") == 0
    assert (await rebuild(reads.settings, plain(reads))).equal


async def _says_of_the_log(reads: ReadSide, beginning: str) -> bool:
    wrong = (await reads.http.get("/readyz")).json()["log"]["wrong"]
    return bool(wrong and wrong.startswith(beginning))


async def test_one_is_built_at_a_time(reads: ReadSide) -> None:
    await a_log_of_batches(reads, stories=1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(conn: Connection, records: list[Received]) -> None:
        begun.set()
        await go_on.wait()
        await plain(reads)(conn, records)

    first = asyncio.create_task(rebuild(reads.settings, slowly))
    await begun.wait()
    with pytest.raises(RebuildError, match="Another rebuild is under way"):
        await rebuild(reads.settings, plain(reads))
    go_on.set()
    assert (await first).swapped


async def test_who_reads_while_the_models_change_places_sees_the_old_one_to_the_end(
    reads: ReadSide,
) -> None:
    await a_log_of_batches(reads, stories=1)
    pool = reads.service.ground.pool
    async with reading(pool) as before:
        rebuilding = asyncio.create_task(rebuild(reads.settings, plain(reads)))
        await until(lambda: _switched(reads))
        assert await before.conn.fetchval("SELECT count(*) FROM recipients") >= PEOPLE
        assert await before.conn.fetchval("SELECT current_schema()") == "model_1"
        async with reading(pool) as after:
            assert await after.conn.fetchval("SELECT current_schema()") == "model_2"
    assert (await rebuilding).swapped
    assert await generations(reads) == [(2, "live")]


async def _switched(reads: ReadSide) -> bool:
    return (2, "live") in await generations(reads)


async def test_a_changed_table_is_deployed_beside_the_old_code_which_writes_no_more(
    reads: ReadSide, tmp_path: Path
) -> None:
    await a_log_of_batches(reads, stories=1)
    tables = ("batches", "recipients", "calls", "timeline")
    adding = [f"ALTER TABLE {it} ADD COLUMN colour text DEFAULT 'red'" for it in tables]
    newer = changed(tmp_path, ";\n".join(adding))
    before = await everything(reads)
    report = await rebuild(reads.settings, plain(reads), newer)
    assert (report.equal, report.swapped) == (True, True), report
    assert await everything(reads) == before, "the old code reads on"
    story = await a_story(reads, 1)
    await reads.log(called(story))
    await until(lambda: _says(reads, "the live model was made for other code: deploy that"))
    assert (await reads.http.get(f"/v1/batches/{story.batch_id}")).status_code == 404
    dsn = reads.settings.postgres_dsn.get_secret_value()
    with pytest.raises(TooOldError, match="newer version"):
        await prepare(dsn, definition())
    assert await prepare(dsn, newer)


async def _says(reads: ReadSide, wrong: str) -> bool:
    answer = await reads.http.get("/readyz")
    return answer.status_code == 503 and wrong in answer.json()["log"]["wrong"]


async def test_newer_code_builds_its_model_before_it_serves(
    reads: ReadSide, tmp_path: Path
) -> None:
    await a_log_of_batches(reads, stories=1)
    newer = changed(tmp_path, "CREATE TABLE colours (name text PRIMARY KEY)")
    folds: list[int] = []

    async def noted(conn: Connection, records: Sequence[Received]) -> None:
        folds.append(len(records))
        await plain(reads)(conn, list(records))

    await asyncio.gather(*(have_model(reads.settings, newer, noted) for _ in range(3)))
    assert sum(folds) == reads.logged, "one of the three builds it, the others wait for it"
    assert await generations(reads) == [(2, "live")]


def changed(folder: Path, statement: str) -> Definition:
    folder = shutil.copytree(FOLDED, folder / "folded")
    (folder / "9999_changed.sql").write_text(f"{statement};\n")
    return definition(folder)


async def test_what_is_left_of_a_generation_nobody_could_drop_goes_with_the_next_one(
    reads: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "READERS_END_IN", 0)
    async with reading(reads.service.ground.pool):
        assert (await rebuild(reads.settings, plain(reads))).swapped
        assert await generations(reads) == [(1, "retired"), (2, "live")]
    assert (await rebuild(reads.settings, plain(reads))).swapped
    assert await generations(reads) == [(3, "live")]
