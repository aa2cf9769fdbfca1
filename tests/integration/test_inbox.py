"""Exactly once, whatever happens in between."""

import asyncio
from unittest.mock import AsyncMock

import pytest
from aiokafka.errors import KafkaConnectionError

from chassis import reader
from chassis.records import Received
from tests.conftest import DatabaseFactory
from tests.counter import batch, counted, counter, renamed, running, total, until


async def test_what_is_published_is_folded_once_and_in_order(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(b, n) for n in range(1, 101) for b in range(20)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        assert await counted(service.pool) == {batch(b): list(range(1, 101)) for b in range(20)}


async def test_a_running_inbox_folds_each_record_as_it_comes(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        folded: list[int] = []

        def after_commit(records: list[Received]) -> None:
            folded.extend(record.offset for record in records)

        async with running(service.inbox(after_commit=after_commit)) as inbox:
            await inbox.caught_up()
            for n in range(1, 11):
                await service.publish([renamed(1, n)])

                async def handled(n: int = n) -> bool:
                    return len(folded) == n

                await until(handled, within=5)
            health = inbox.health()
        assert (health.ok, health.assigned, health.lag) == (True, 6, 0)


async def test_a_second_inbox_of_the_group_takes_its_share_and_goes_on_alone(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        async with running(service.inbox()) as staying:
            await staying.caught_up()
            async with running(service.inbox()) as leaving:

                async def shared() -> bool:
                    return staying.health().assigned == leaving.health().assigned == 3

                await until(shared)
                await service.publish([renamed(b, 1) for b in range(50)])

            await service.publish([renamed(b, 2) for b in range(50)])

            async def all_there() -> bool:
                return await total(service.pool) >= 100

            await until(all_there)
        assert await counted(service.pool) == {batch(b): [1, 2] for b in range(50)}


async def test_a_member_that_its_group_does_not_hear_any_more_ends_to_join_anew(
    kafka: str, database: DatabaseFactory, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(reader, "TELL_WITHIN", 1.0)
    async with counter(kafka, await database(), topic_prefix) as service:
        inbox = service.inbox()
        await inbox.start()
        monkeypatch.setattr(inbox._reader.consumer, "commit", never)
        answers = inbox._reader.end_offsets
        away = AsyncMock(side_effect=KafkaConnectionError)
        monkeypatch.setattr(inbox._reader, "end_offsets", away)
        running_on = asyncio.create_task(inbox.run())
        try:
            await service.publish([renamed(1, 1)])
            await until(lambda: asyncio.sleep(0, away.await_count > 1))
            assert not running_on.done(), "a broker that is away is waited for"
            monkeypatch.setattr(inbox._reader, "end_offsets", answers)
            async with asyncio.timeout(30):
                with pytest.raises(reader.AdriftError):
                    await running_on
        finally:
            await inbox.stop()
