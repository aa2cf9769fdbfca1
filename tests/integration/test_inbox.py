"""Exactly once, whatever happens in between."""

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
