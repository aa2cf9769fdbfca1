"""Three inboxes that each believe to own every partition, one database, crashes at any instant."""

import asyncio
import random
from collections import Counter as Tally
from collections.abc import Sequence

import pytest

from chassis.inbox import Inbox
from chassis.postgres import Connection, open_pool
from chassis.records import Received
from tests.conftest import DatabaseFactory
from tests.counter import Counter, count, counted, counter, renamed, total, until
from tests.faults.mutants.inbox import NeverFenced, OffsetsFirst

BATCHES_, COMMANDS, CRASHES = 40, 100, 13
GROUPS = ("scheduler", "dialer", "projections")
"""Different groups: no coordinator keeps them apart, only the database does."""


class Instance:
    """An inbox with a pool of its own, as a process has; a crash leaves it no time for anything."""

    def __init__(self, service: Counter, kind: type[Inbox], group: str) -> None:
        self.service, self.kind, self.group = service, kind, group
        self.armed = False
        self.hit = asyncio.Event()
        """In the middle of a fold, from where it does not go on."""

    async def start(self) -> "Instance":
        self.pool = await open_pool(self.service.dsn, application_name=self.group)
        self.inbox = self.service.inbox(
            self.kind, service=self.group, pool=self.pool, most=50, fold=self.fold
        )
        await self.inbox.start()
        self.task = asyncio.create_task(self.inbox.run())
        return self

    async def fold(self, conn: Connection, records: list[Received]) -> None:
        await count(conn, records)
        if self.armed:
            self.hit.set()
            await asyncio.Event().wait()

    async def crash(self) -> None:
        self.pool.terminate()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.inbox._reader.stop()


async def lost_and_doubled(
    kind: type[Inbox], kafka: str, dsn: str, prefix: str, seed: int
) -> tuple[int, int]:
    """What such inboxes forget and repeat of all that is published, through the crashes."""
    dice = random.Random(seed)
    async with counter(kafka, dsn, prefix) as service:
        instances = [await Instance(service, kind, group).start() for group in GROUPS]
        try:
            for crash in range(CRASHES):
                for instance in instances:
                    instance.armed = bool(crash % 2)
                part = range(crash * COMMANDS // CRASHES, (crash + 1) * COMMANDS // CRASHES)
                await service.publish([renamed(b, n + 1) for n in part for b in range(BATCHES_)])
                for victim in await (
                    in_a_fold(instances) if crash % 2 else anywhere(instances, dice)
                ):
                    await instances[victim].crash()
                    instances[victim] = await Instance(service, kind, GROUPS[victim]).start()
            await all_read(instances)
        finally:
            for instance in instances:
                await instance.crash()
        seen = Tally(
            (b, n) for b, commands in (await counted(service.pool)).items() for n in commands
        )
        return BATCHES_ * COMMANDS - len(seen), await total(service.pool) - len(seen)


async def anywhere(instances: Sequence[Instance], dice: random.Random) -> list[int]:
    await asyncio.sleep(dice.random() * 0.03)
    return [dice.randrange(len(instances))]


async def in_a_fold(instances: Sequence[Instance]) -> list[int]:
    async def somebody() -> bool:
        return any(instance.hit.is_set() for instance in instances)

    await until(somebody)
    for instance in instances:
        instance.armed = False
    return [index for index, instance in enumerate(instances) if instance.hit.is_set()]


async def all_read(instances: Sequence[Instance]) -> None:
    for instance in instances:
        instance.armed = False
        instance.inbox.rearm()

    async def reached() -> bool:
        return all(instance.inbox.is_caught_up for instance in instances)

    await until(reached)


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_record_is_lost_or_folded_twice(
    kafka: str, database: DatabaseFactory, topic_prefix: str, seed: int
) -> None:
    dsn = await database()
    assert await lost_and_doubled(Inbox, kafka, dsn, topic_prefix, seed) == (0, 0)


@pytest.mark.parametrize("mutant", [OffsetsFirst, NeverFenced])
async def test_an_inbox_that_is_wrong_is_found_out(
    kafka: str, database: DatabaseFactory, topic_prefix: str, mutant: type[Inbox]
) -> None:
    dsn = await database()
    assert await lost_and_doubled(mutant, kafka, dsn, topic_prefix, seed=1) != (0, 0)
