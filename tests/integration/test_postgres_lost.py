"""The database goes and comes back; nobody decides before the log is read up again."""

import asyncio

import asyncpg

from chassis import outbox
from chassis.postgres import open_pool, retrying
from chassis.wake import Alarm, Listener
from tests.conftest import DatabaseFactory
from tests.counter import Counter, batch, counted, counter, renamed, running, until


async def lose(postgres: str, service: Counter) -> None:
    """Every session is cut, as at a restart."""
    name = service.dsn.rsplit("/", 1)[1]
    conn = await asyncpg.connect(postgres)
    try:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
        await conn.fetch(cut, name)
    finally:
        await conn.close()


async def test_an_idle_inbox_notices_and_reads_up_before_anyone_decides(
    kafka: str, postgres: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        inbox = service.inbox()
        lost = asyncio.Event()

        def on_lost() -> None:
            inbox.rearm()
            assert not inbox.is_caught_up
            lost.set()

        listening = asyncio.create_task(Listener(service.pool, {}, on_lost=on_lost).run())
        async with running(inbox):
            await inbox.caught_up()
            await asyncio.sleep(0)
            await service.publish([renamed(1, 1)])

            async def one() -> bool:
                return await counted(service.pool) == {batch(1): [1]}

            await until(one)
            # As if a backup of before had been restored in the meantime.
            await service.pool.execute("TRUNCATE renames, inbox_offsets")
            await lose(postgres, service)
            await asyncio.wait_for(lost.wait(), 10)
            await inbox.caught_up()
            assert await counted(service.pool) == {batch(1): [1]}, "read again from where it stands"
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_inbox_and_relay_go_on_through_losses(
    kafka: str, postgres: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        relaying = asyncio.create_task(service.relay.run())
        async with running(service.inbox()):
            for n in range(1, 31):

                async def put(n: int = n) -> None:
                    async with service.pool.acquire() as conn, conn.transaction():
                        await outbox.put(conn, [renamed(b, n) for b in range(5)], writer="ingest")

                await retrying("put", put, attempts=20)
                service.relay.wake()
                if n % 10 == 5:
                    await lose(postgres, service)

            async def all_there() -> bool:
                try:
                    seen = await counted(service.pool)
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    return False
                return all(set(seen.get(batch(b), [])) == set(range(1, 31)) for b in range(5))

            await until(all_there)
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)


async def test_what_is_said_reaches_a_listener_also_after_a_loss(
    kafka: str, postgres: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        alarm = Alarm()
        heard: list[str] = []

        def hear(payload: str) -> None:
            heard.append(payload)
            alarm.ring()

        listening = asyncio.create_task(Listener(service.pool, {"news": hear}).run())
        assert await alarm.wait_for(10), "told once at the start, for what was said before"
        await service.pool.execute("NOTIFY news, 'first'")
        assert await alarm.wait_for(10)
        await lose(postgres, service)
        assert await alarm.wait_for(10), "told once again, for what was said meanwhile"
        pool = await open_pool(service.dsn, application_name="another")
        await pool.execute("NOTIFY news, 'second'")
        assert await alarm.wait_for(10)
        await pool.close()
        assert heard == ["", "first", "", "second"]
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
