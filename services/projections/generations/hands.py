"""A second process takes a share of the partitions: one interpreter alone leaves a core unused.

It ends with its parent.  Its session holds a lock as long as it folds, so that nobody builds on
before one that was cut off is gone.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing import get_context

import uvloop
from aiokafka.errors import KafkaError

from chassis.logging import configure
from chassis.offspring import end_with_parent
from chassis.postgres import LOST, Connection, connect
from chassis.vault import PostgresVault, Seals
from services.projections.generations.building import Building, Hand, Log, Share
from services.projections.generations.definition import Q, stay_in
from services.projections.handlers import fold
from services.projections.settings import ProjectionsSettings


async def session(settings: ProjectionsSettings) -> Connection:
    """One that may take its time, but holds nothing while it does nothing."""
    no_limits = ("transaction_timeout", "statement_timeout", "lock_timeout")
    memory = {"work_mem": "128MB", "maintenance_work_mem": "256MB"}
    dsn = settings.postgres_dsn.get_secret_value()
    return await connect(dsn, application_name="rebuild", **dict.fromkeys(no_limits, "0"), **memory)


@asynccontextmanager
async def another(settings: ProjectionsSettings, number: int) -> AsyncIterator[Hand]:
    """A process that is started when it is first given something."""
    # spawned, not forked: a fork of a process with threads may inherit a lock that nobody frees
    process = ProcessPoolExecutor(1, get_context("spawn"), initializer=end_with_parent)

    async def read(share: Share) -> int:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(process, _read, settings, number, share)
        except BrokenProcessPool:
            raise ConnectionError("the other process was killed") from None

    try:
        yield read
    finally:
        process.shutdown(wait=True, cancel_futures=True)


def _read(settings: ProjectionsSettings, number: int, share: Share) -> int:
    configure("rebuild", "console", "warning")
    return uvloop.run(_share(settings, number, share))


async def _share(settings: ProjectionsSettings, number: int, share: Share) -> int:
    vault = await PostgresVault.open(
        settings.vault_dsn.get_secret_value(), settings.kek, application_name="rebuild"
    )
    conn = await session(settings)
    try:
        await conn.execute(Q.be_a_hand)
        await stay_in(conn, number)
        log = Log(settings.kafka, settings.topic_prefix)
        building = Building(conn, number, log, partial(fold, keys=Seals(vault)))
        await building.stand()
        return await building.read(share)
    except KafkaError as error:
        raise KafkaError(type(error).__name__) from None  # what a process can hand to another
    except LOST as error:
        raise ConnectionError(type(error).__name__) from None
    finally:
        await conn.close()
        await vault.close()
