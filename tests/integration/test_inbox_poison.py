"""What cannot be read or applied holds up as little as may be, and is said."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis import aside
from chassis.apply import Q
from chassis.health import inbox_check
from chassis.postgres import Connection, SupersededError
from chassis.records import Received
from contracts.batches import BatchRenamed
from contracts.codec import PASSED_OVER, encode
from contracts.topics import BATCHES, dead_letters_of
from tests.conftest import DatabaseFactory
from tests.counter import Counter, batch, count, counted, counter, renamed, running, until

NEWER = ("ce_type", b"rollcall.BatchFrobnicated.v1")


async def send(
    service: Counter, *records: tuple[bytes, list[tuple[str, bytes]]], partition: int = 0
) -> None:
    """Straight to a partition."""
    producer = AIOKafkaProducer(bootstrap_servers=service.kafka)
    await producer.start()
    try:
        for value, headers in records:
            topic = service.prefix + BATCHES.name
            await producer.send_and_wait(topic, value, partition=partition, headers=headers)
    finally:
        await producer.stop()


def good(event: BatchRenamed) -> tuple[bytes, list[tuple[str, bytes]]]:
    record = encode(event, source="ingest")
    return record.value, record.headers


async def superseded(conn: Connection, records: list[Received]) -> None:
    raise SupersededError


async def test_what_is_not_ours_becomes_a_dead_letter_without_its_content(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        broken = (
            renamed(1, 1).model_dump_json().replace('"command_no":1', '"command_no":"no +4915112"')
        )
        headers = good(renamed(1, 1))[1]
        await send(service, (b"+49151", []), (broken.encode(), headers), good(renamed(1, 2)))
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        assert await counted(service.pool) == {batch(1): [2]}
        await service.relay.publish_some()
        letters = AIOKafkaConsumer(
            topic_prefix + dead_letters_of("scheduler"),
            bootstrap_servers=kafka,
            auto_offset_reset="earliest",
        )
        await letters.start()
        try:
            found = [await letters.getone(), await letters.getone()]
        finally:
            await letters.stop()
        assert [letter.key for letter in found] == [
            b"rollcall.batches.v1/0/0",
            b"rollcall.batches.v1/0/1",
        ]
        assert all(b"49151" not in (letter.value or b"") for letter in found)


async def test_a_newer_event_that_may_be_passed_over_is(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await send(service, (b"{}", [NEWER, (PASSED_OVER, b"true")]), good(renamed(1, 1)))
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        assert await counted(service.pool) == {batch(1): [1]}


async def test_a_newer_event_stops_its_partition_and_no_other(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await send(service, good(renamed(0, 1)), (b"{}", [NEWER]), good(renamed(0, 2)))
        await send(service, *(good(renamed(1, n)) for n in range(1, 10)), partition=1)

        async with running(service.inbox()) as inbox:

            async def all_else_read() -> bool:
                return bool(inbox.health().stopped) and inbox.health().lag == 2

            await until(all_else_read)
            health = inbox.health()
        assert await counted(service.pool) == {batch(0): [1], batch(1): list(range(1, 10))}
        assert not health.ok
        assert list(health.stopped.values()) == ["BatchFrobnicated v1 is newer than this reader"]


async def test_a_batch_that_cannot_be_applied_is_set_aside_and_the_others_go_on(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        names = {(3, 2): "poison", (7, 5): "poison"}
        await service.publish(
            [renamed(b, n, names.get((b, n), "x")) for n in range(1, 9) for b in range(10)]
        )
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
            await service.publish([renamed(3, 9), renamed(4, 9)])

            async def nine() -> bool:
                return 9 in (await counted(service.pool))[batch(4)]

            await until(nine)
            said = await inbox_check(inbox)()
            assert said.ok, "the others go on"
            assert said.wrong is not None
            assert said.wrong.startswith("2 batches")
        seen = await counted(service.pool)
        assert seen[batch(3)] == [1]
        assert seen[batch(7)] == [1, 2, 3, 4]
        assert all(seen[batch(b)][:8] == list(range(1, 9)) for b in range(10) if b not in {3, 7})
        held = {row["batch_id"] for row in await service.pool.fetch(Q.quarantined)}
        assert held == {batch(3), batch(7)}
        kept = await service.pool.fetchval("SELECT count(*) FROM quarantined_records")
        assert kept == len(range(2, 9)) + len(range(5, 9)) + 1, "every record held back is known"


async def test_a_member_that_cannot_go_on_leaves_its_partitions_to_one_that_can(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "STAYS", 0.5)
    async with counter(kafka, await database(), topic_prefix) as service:
        async with running(service.inbox(fold=superseded)) as old:
            await service.publish([renamed(b, 1) for b in range(20)])

            async def stopped() -> bool:
                return len(old.health().stopped) == BATCHES.partitions

            await until(stopped)
            async with running(service.inbox()) as new:
                await new.caught_up()
                assert not old.health().ok
        assert await counted(service.pool) == {batch(b): [1] for b in range(20)}


async def test_a_member_that_is_alone_tries_again(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "STAYS", 0.2)
    refused: list[Received] = []

    async def at_first_superseded(conn: Connection, records: list[Received]) -> None:
        if not refused:
            refused.extend(records)
            await superseded(conn, records)
        await count(conn, records)

    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(0, 1)])
        async with running(service.inbox(fold=at_first_superseded)) as inbox:
            await inbox.caught_up()
            assert inbox.health().ok
        assert refused
        assert await counted(service.pool) == {batch(0): [1]}


async def test_a_database_in_trouble_is_waited_for_and_no_batch_is_set_aside(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    troubles = ["disk_full", "out_of_memory", "too_many_connections", "io_error"]

    async def count_with_trouble(conn: Connection, records: list[Received]) -> None:
        if troubles:
            await conn.execute(f"DO $$ BEGIN RAISE {troubles.pop()}; END $$")
        await count(conn, records)

    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(0, 1), renamed(1, 1)])
        async with running(service.inbox(fold=count_with_trouble)) as inbox:
            await inbox.caught_up()
        assert not troubles
        assert await counted(service.pool) == {batch(0): [1], batch(1): [1]}
        assert await service.pool.fetch(Q.quarantined) == []
