"""Whatever breaks between the rows and the log, every chunk gets there, and always the same one."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka.errors import KafkaTimeoutError

from chassis.ground import Ground, lay_ground
from chassis.producer import Producer
from chassis.queries import check_queries
from chassis.wake import News
from contracts.batches import BatchImportFailed
from contracts.codec import Encoded
from contracts.recipients import RecipientsAdded
from services.ingest import store
from services.ingest.app import MIGRATIONS, compose
from services.ingest.directory import Directory
from services.ingest.intake import Wakes
from services.ingest.life import store as life_store
from services.ingest.lists import store as lists_store
from services.ingest.lists.opening import Lists
from services.ingest.settings import IngestSettings
from services.ingest.uploading import staged
from services.ingest.uploading.content import Content
from services.ingest.uploading.streamer import Streamer
from services.ingest.uploading.submission import Sent, batch_of
from services.ingest.uploading.sweeper import Sweeper
from services.ingest.uploading.workers import Workers
from tests.conftest import DatabaseFactory
from tests.desk import Json, a_batch, read_log, recipients, registered, settings_for

CHUNKS = 6


def nothing() -> None: ...


async def at_once() -> None: ...


class Ingest:
    """Its parts without its life: nothing happens but what a test does."""

    def __init__(self, settings: IngestSettings, ground: Ground) -> None:
        self.settings = settings
        self.ground = ground
        wakes = Wakes(relay=nothing, streamer=nothing, sweeper=nothing)
        self.lists = Lists(ground.pool, ground.vault, ground.seals)
        self.workers = Workers(1)
        self.intake = compose(ground, lambda: True, self.lists, self.workers, wakes, News()).intake

    async def take(self, count: int) -> UUID:
        return await self.take_all(recipients(count))

    async def take_all(self, people: list[Json]) -> UUID:
        body = json.dumps(a_batch(recipients=people)).encode()
        submission = await batch_of(Sent(body=Content(data=body)), self.workers)
        answer = await self.intake.create("default", submission, key=None, actor="test")
        return UUID(answer.body["batch_id"])

    def streamer(self, producer: Any = None) -> Streamer:
        pool, producer = self.ground.pool, producer or self.ground.producer
        return Streamer(pool, producer, at_once, wake_relay=nothing, wake_sweeper=nothing)

    async def stream_all(self) -> None:
        while await self.streamer().stream_some():
            pass
        await self.sweep()

    async def sweep(self) -> None:
        await Sweeper(self.ground.pool, self.lists).sweep()

    async def chunks(self) -> list[RecipientsAdded]:
        log = await read_log(self.settings.kafka, self.settings.topic_prefix)
        return [event for event in log if isinstance(event, RecipientsAdded)]


@pytest.fixture
async def ingest(
    kafka: str,
    database: DatabaseFactory,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Ingest]:
    monkeypatch.setattr("services.ingest.domain.chunks.MAX_ENTRIES", 10)
    monkeypatch.setattr("services.ingest.uploading.streamer.AT_ONCE", 4)
    monkeypatch.setattr("services.ingest.uploading.streamer.TURN", 0)
    settings = await settings_for(kafka, database, topic_prefix)
    ground = await lay_ground(settings, MIGRATIONS)
    try:
        await registered(Directory(ground.pool, nothing))
        yield Ingest(settings, ground)
    finally:
        await ground.close()


class Failing:
    """A producer that breaks after some were sent, and some of those acknowledged."""

    def __init__(self, producer: Producer, *, sends: int, acknowledges: int) -> None:
        self._producer = producer
        self._sends, self._acknowledges = sends, acknowledges

    async def send_all(self, records: Sequence[tuple[str, Encoded]]) -> list[Exception | None]:
        await self._producer.send_all(records[: self._sends])
        lost = [KafkaTimeoutError() for _ in records]
        return [None] * self._acknowledges + lost[self._acknowledges :]


class BreaksLater:
    """A producer whose broker is gone after some rounds."""

    def __init__(self, producer: Producer, *, after: int) -> None:
        self._producer = producer
        self._left = after

    async def send_all(self, records: Sequence[tuple[str, Encoded]]) -> list[Exception | None]:
        if not self._left:
            return [KafkaTimeoutError() for _ in records]
        self._left -= 1
        return await self._producer.send_all(records)


async def test_only_what_the_broker_acknowledged_counts_as_sent(ingest: Ingest) -> None:
    await ingest.take(CHUNKS * 10)
    with pytest.raises(KafkaTimeoutError):
        await ingest.streamer(
            Failing(ingest.ground.producer, sends=1, acknowledges=1)
        ).stream_some()
    assert await pointer(ingest) == 1
    await ingest.stream_all()
    assert sorted(chunk.chunk_no for chunk in await ingest.chunks()) == list(range(CHUNKS))
    assert await chunks_left(ingest) == 0


async def test_what_is_sent_again_is_the_same_chunk(ingest: Ingest) -> None:
    await ingest.take(CHUNKS * 10)
    with pytest.raises(KafkaTimeoutError):
        await ingest.streamer(
            Failing(ingest.ground.producer, sends=4, acknowledges=0)
        ).stream_some()
    assert await pointer(ingest) == 0
    await ingest.stream_all()
    chunks = await ingest.chunks()
    assert len(chunks) == CHUNKS + 4
    told = {chunk.chunk_id: chunk.recipients for chunk in chunks}
    assert len(told) == CHUNKS
    assert all(told[chunk.chunk_id] == chunk.recipients for chunk in chunks)
    assert sum(len(entries) for entries in told.values()) == CHUNKS * 10


async def test_a_list_whose_rows_are_lost_fails_its_batch_once(ingest: Ingest) -> None:
    batch_id = await ingest.take(CHUNKS * 10)
    await ingest.ground.pool.execute("DELETE FROM upload_chunks WHERE chunk_no = 5")
    await ingest.stream_all()
    await ingest.ground.relay.drain(within=10)
    log = await read_log(ingest.settings.kafka, ingest.settings.topic_prefix)
    [failed] = [event for event in log if isinstance(event, BatchImportFailed)]
    assert (failed.batch_id, failed.command_no, failed.reason) == (batch_id, 2, "rows_lost")
    assert not await ingest.streamer().stream_some()
    assert await chunks_left(ingest) == 0


async def test_a_list_goes_on_in_its_turn_until_the_log_has_all_of_it(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.uploading.streamer.TURN", 60)
    await ingest.take(CHUNKS * 10)
    streamer = ingest.streamer()
    assert await streamer.stream_some()
    assert not await streamer.stream_some()
    assert sorted(chunk.chunk_no for chunk in await ingest.chunks()) == list(range(CHUNKS))


async def test_a_list_that_broke_in_its_turn_keeps_what_was_acknowledged(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.uploading.streamer.TURN", 60)
    monkeypatch.setattr("services.ingest.uploading.streamer.AT_ONCE", 1)
    await ingest.take(CHUNKS * 10)
    with pytest.raises(KafkaTimeoutError):
        await ingest.streamer(BreaksLater(ingest.ground.producer, after=3)).stream_some()
    assert await pointer(ingest) == 3
    await ingest.stream_all()
    assert len(await ingest.chunks()) == CHUNKS


async def test_a_number_that_comes_again_names_the_nearest_row_before_it(ingest: Ingest) -> None:
    people = recipients(25)
    people[14] |= {"phone_number": people[2]["phone_number"]}
    people[24] |= {"phone_number": people[2]["phone_number"]}
    await ingest.take_all(people)
    await ingest.stream_all()
    entries = {entry.row: entry for chunk in await ingest.chunks() for entry in chunk.recipients}
    again = {row: entry.same_number_as for row, entry in entries.items() if entry.same_number_as}
    assert again == {15: entries[3].recipient_id, 25: entries[15].recipient_id}


async def test_no_number_is_compared_any_more_when_the_list_is_whole(ingest: Ingest) -> None:
    await ingest.take(CHUNKS * 10)
    compared = await ingest.ground.pool.fetchval(
        "SELECT count(*) FROM upload_chunks WHERE coalesce(rows::text, marks::text) IS NOT NULL"
    )
    assert (await chunks_left(ingest), compared) == (CHUNKS, 0)


async def test_lists_take_turns(ingest: Ingest) -> None:
    long, short = await ingest.take(CHUNKS * 10), await ingest.take(10)
    streamer = ingest.streamer()
    await streamer.stream_some()
    await streamer.stream_some()
    done = await ingest.ground.pool.fetchval(
        "SELECT array_agg(batch_id) FROM additions WHERE state = 'done'"
    )
    assert done == [short]
    await ingest.stream_all()
    assert {chunk.batch_id for chunk in await ingest.chunks()} == {long, short}


async def test_an_upload_that_fell_silent_is_swept_and_no_other(ingest: Ingest) -> None:
    await ingest.take(10)
    dead, live = uuid4(), uuid4()
    async with ingest.ground.pool.acquire() as conn:
        for upload_id in (dead, live):
            await staged.begin_upload(conn, upload_id)
            chunks = [(n, b"{}", f"{{{n}}}", f"{{{n}}}") for n in range(30)]
            await staged.stage(conn, upload_id, chunks, [])
        await conn.execute("UPDATE uploads SET touched_at = now() - interval '61 seconds' "
                           "WHERE upload_id = $1", dead)  # fmt: skip
    await ingest.sweep()
    assert await chunks_left(ingest) == 1 + 30
    async with ingest.ground.pool.acquire() as conn:
        await staged.stage(conn, live, [], [])
        with pytest.raises(staged.UploadLostError):
            await staged.stage(conn, dead, [], [])


async def test_every_query_fits_the_schema(ingest: Ingest) -> None:
    async with ingest.ground.pool.acquire() as conn:
        for queries in (store.Q, staged.Q, lists_store.Q, life_store.Q):
            await check_queries(conn, queries)


async def pointer(ingest: Ingest) -> int:
    chunk: int = await ingest.ground.pool.fetchval("SELECT next_chunk FROM additions")
    return chunk


async def chunks_left(ingest: Ingest) -> int:
    chunks: int = await ingest.ground.pool.fetchval("SELECT count(*) FROM upload_chunks")
    return chunks
