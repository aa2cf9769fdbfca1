"""Without its keys nobody is called and nothing is spoilt; with them back, all goes on."""

import asyncio
import base64
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from chassis.same_vault import ANOTHER, WRONG_KEY
from chassis.vault import MARK, batch_scope, pepper_scope
from contracts.calls import CallCompleted, CallPlacing, CallReturned, ReturnReason
from contracts.outcomes import Outcome
from tests.dialer_story import ACCOUNT, numbers
from tests.dialing import Dialing, until
from tests.processes import Process

ANOTHER_KEY = base64.b64encode(bytes(32)).decode()


async def in_the_vault(house: Dialing, *statements: str) -> None:
    conn = await asyncpg.connect(house.vault_dsn)
    try:
        for statement in statements:
            await conn.execute(statement)
    finally:
        await conn.close()


async def forget(house: Dialing, scope: str) -> None:
    """As a backup of before its key was made."""
    conn = await asyncpg.connect(house.vault_dsn)
    try:
        await conn.execute("DELETE FROM keys WHERE scope = $1", scope)
    finally:
        await conn.close()


async def is_ready(house: Dialing, dialer: Process) -> bool:
    async with house.http.get(dialer.url + "/readyz") as answer:
        return answer.status == 200


async def says(house: Dialing, dialer: Process, words: str) -> bool:
    try:
        async with house.http.get(dialer.url + "/readyz") as answer:
            return answer.status == 503 and words in await answer.text()
    except aiohttp.ClientConnectionError:
        return False


async def start_to_hear(house: Dialing, words: str, **env: str) -> asyncio.Task[Process]:
    """A dialer that says that, and is not ready."""
    before = len(house.processes)
    starting = asyncio.create_task(house.start_dialer(**env))
    await until(lambda: len(house.processes) > before)
    await until(lambda: says(house, house.processes[before], words), house.story)
    return starting


def given_back(house: Dialing, call: UUID) -> bool:
    return [(e.reason, e.detail) for e in house.of(CallReturned, call)] == [
        (ReturnReason.FATAL_FAULT, "key_lost")
    ]


async def test_a_vault_that_is_lost_stops_the_calls_until_it_is_brought_back(
    house: Dialing,
) -> None:
    dialer = await house.start_dialer()
    called, batch = await house.batch(), await house.batch()
    await house.until_over(await house.grant(called, numbers(3)))
    await in_the_vault(house, "CREATE TABLE backup AS TABLE keys", "TRUNCATE keys")
    await until(lambda: says(house, dialer, ANOTHER), house.story)
    waiting = await house.grant(batch, numbers(3, first=100))
    await dialer.end()
    starting = await start_to_hear(house, ANOTHER)
    assert not house.over() & set(waiting), "neither called nor given up"
    assert not {event.call_id for event in house.of(CallPlacing)} & set(waiting)
    await in_the_vault(house, "TRUNCATE keys", "INSERT INTO keys TABLE backup")
    await house.until_over(waiting)
    assert {house.ended()[call].outcome for call in waiting} == {Outcome.COMPLETED}
    await starting
    await house.judge()


@pytest.mark.chaos
async def test_under_another_key_encryption_key_nobody_is_called(house: Dialing) -> None:
    dialer = await house.start_dialer()
    batch = await house.batch()
    await dialer.end()
    starting = await start_to_hear(house, WRONG_KEY, ROLLCALL_KEY_ENCRYPTION_KEY=ANOTHER_KEY)
    waiting = await house.grant(batch, numbers(2))
    starting.cancel()
    await house.processes[-1].end()
    await house.start_dialer()
    await house.until_over(waiting)
    assert {house.ended()[call].outcome for call in waiting} == {Outcome.COMPLETED}


async def test_a_vault_of_before_a_batch_fails_that_batch_and_no_other(house: Dialing) -> None:
    dialer = await house.start_dialer()
    known, since = await house.batch(), await house.batch()
    await forget(house, batch_scope(since.batch_id))
    (lost,) = await house.grant(since, numbers(1))
    (called,) = await house.grant(known, numbers(1, first=100))
    await house.until_over([lost, called])
    assert given_back(house, lost)
    assert house.ended()[called].outcome is Outcome.COMPLETED
    assert await is_ready(house, dialer)


async def test_where_the_pepper_is_lost_no_other_is_made_and_nobody_suppressed_is_called(
    house: Dialing,
) -> None:
    (number,) = numbers(1)
    await house.suppress(number)
    await forget(house, pepper_scope(ACCOUNT))
    await house.start_dialer()
    (call,) = await house.grant(await house.batch(), [number])
    await house.until_over([call])
    assert given_back(house, call)
    assert house.of(CallCompleted) == []
    assert [e for e in await house.ledger() if e["kind"] == "request"] == []
    assert await house.vault.knows(MARK)
    assert not await house.vault.knows(pepper_scope(ACCOUNT))
