"""What was passed over or set aside is replayed exactly once, after its cause was mended."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from chassis import rereading
from chassis.dead_letters import Place, Q, ask
from chassis.inbox import Inbox
from chassis.origins import Origins
from chassis.postgres import Connection
from chassis.records import Received, received
from contracts.batches import BatchRenamed
from contracts.topics import BATCHES
from tests.conftest import DatabaseFactory
from tests.counter import Counter, batch, count, counted, counter, renamed, running, until
from tests.integration.test_inbox_poison import good, send


class Mendable:
    """The counter's fold, which can be mended."""

    def __init__(self) -> None:
        self.mended = False

    async def fold(self, conn: Connection, records: list[Received]) -> None:
        if self.mended:
            names = {"name": "mended"}
            records = [r._replace(event=r.event.model_copy(update=names)) for r in records]
        await count(conn, records)


@asynccontextmanager
async def counting(service: Counter, mendable: Mendable | None = None) -> AsyncIterator[Inbox]:
    fold = count if mendable is None else mendable.fold
    async with running(service.inbox(fold=fold)) as inbox:
        reading = asyncio.create_task(inbox.second_reading.run())
        await inbox.caught_up()
        try:
            yield inbox
        finally:
            reading.cancel()
            await asyncio.wait([reading])


async def asked(service: Counter, inbox: Inbox, *places: Place) -> None:
    async with service.pool.acquire() as conn:
        await ask(conn, places)
    inbox.second_reading.wake()

    async def answered() -> bool:
        return not await service.pool.fetch(Q.asked)

    await until(answered)


async def listed(service: Counter) -> dict[Place, dict[str, object]]:
    rows = await service.pool.fetch(Q.list_all)
    return {Place(r["topic"], r["partition"], r["offset"]): dict(r) for r in rows}


def place(offset: int, partition: int = 0) -> Place:
    return Place(BATCHES.name, partition, offset)


def malformed(event: BatchRenamed) -> tuple[bytes, list[tuple[str, bytes]]]:
    value, headers = good(event)
    return value.replace(b'"actor"', b'"nobody"'), headers


async def test_a_record_that_newer_code_can_read_is_replayed_once_however_often_it_is_asked_for(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await send(service, malformed(renamed(1, 1)), good(renamed(2, 1)))
        async with counting(service) as inbox:
            assert (await listed(service))[place(0)]["times"] == 1
            await asked(service, inbox, place(0))
            still = (await listed(service))[place(0)]
            assert (still["times"], still["replayed_at"]) == (2, None), "it is as bad as before"
            assert still["error"] == "BatchRenamed v1: actor"
            monkeypatch.setattr(rereading, "received", newer_code)
            for _ in range(3):
                await asked(service, inbox, place(0))
            assert await counted(service.pool) == {batch(1): [1], batch(2): [1]}
            assert (await listed(service))[place(0)]["replayed_at"] is not None


def newer_code(raw: ConsumerRecord, prefix: str) -> Received:
    """It knows what an event without an actor means."""
    value = raw.value.replace(b'"nobody"', b'"actor"')
    return received(dataclasses.replace(raw, value=value), prefix)


async def test_a_batch_set_aside_is_taken_up_with_all_that_came_meanwhile_in_its_order(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        mendable = Mendable()
        events = [renamed(3, n, "poison" if n == 2 else "x") for n in range(1, 160)]
        await service.publish(events)
        async with counting(service, mendable) as inbox:
            (letter,) = await listed(service)
            assert (await listed(service))[letter]["held"] == 158
            await asked(service, inbox, letter)
            assert (await counted(service.pool))[batch(3)] == [1]
            again = (await listed(service))[letter]
            assert again["error"] == f"ValueError at {letter}"
            mendable.mended = True
            await asked(service, inbox, letter)
            await service.publish([renamed(3, 160)])

            async def goes_on() -> bool:
                return 160 in (await counted(service.pool))[batch(3)]

            await until(goes_on)
            assert (await counted(service.pool))[batch(3)] == list(range(1, 161))
            assert await inbox.set_aside() == 0
            assert (await listed(service))[letter]["replayed_at"] is not None


async def test_two_instances_and_a_kill_in_the_middle_replay_a_batch_once(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        mendable = Mendable()
        await service.publish([renamed(3, n, "poison" if n == 1 else "x") for n in range(1, 401)])
        async with counting(service, mendable) as one, counting(service, mendable) as other:
            (letter,) = await listed(service)
            mendable.mended = True
            async with service.pool.acquire() as conn:
                await ask(conn, [letter])
            cut = asyncio.create_task(one.second_reading.read_asked())

            async def some() -> bool:
                return bool((await counted(service.pool)).get(batch(3)))

            await until(some)
            cut.cancel()
            one.second_reading.wake()
            await asked(service, other, letter)
            assert (await counted(service.pool))[batch(3)] == list(range(1, 401))
            assert await one.set_aside() == 0


async def test_a_letter_whose_key_went_on_is_said_to_be_late(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(1, 1), renamed(1, 2)])
        async with counting(service) as inbox:
            row = await service.pool.fetchrow(
                "SELECT topic, partition FROM inbox_offsets WHERE next_offset = 2"
            )
            assert row is not None
            first, second = (Place(row["topic"], row["partition"], n) for n in (0, 1))
            insert = 'INSERT INTO dead_letters (topic, partition, "offset", error)'
            for letter in (first, second, second._replace(offset=7)):
                await service.pool.execute(f"{insert} VALUES ($1, $2, $3, 'x')", *letter)
            await asked(service, inbox, first, second, second._replace(offset=7))
            found = await listed(service)
            assert [found[it]["late"] for it in (first, second)] == [True, False]
            gone = found[second._replace(offset=7)]
            assert (gone["replayed_at"], gone["error"]) == (None, "it is no longer in the log")


async def test_a_reading_that_is_cancelled_while_its_consumer_stops_ends(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping, true = asyncio.Event(), AIOKafkaConsumer.stop

    async def stop(self: AIOKafkaConsumer) -> None:
        """As aiokafka's client waits for its own tasks."""
        stopping.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await true(self)

    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(1, 1)])
        monkeypatch.setattr(AIOKafkaConsumer, "stop", stop)
        reading = asyncio.create_task(Origins(kafka, topic_prefix).records([place(0)]))
        await stopping.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
