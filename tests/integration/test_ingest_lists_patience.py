"""Who waits for a turn is not given up, and who is large or odd holds up nobody."""

import asyncio
from datetime import timedelta

import pytest

from services.ingest import once
from services.ingest.uploading import staged
from services.ingest.uploading.workers import LONG
from tests.desk import AGENT
from tests.list_desk import LISTS, ListDesk, counts, file, number, people


async def test_a_list_that_waits_longer_than_its_lease_is_taken(
    lists: ListDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged, "LEASE", timedelta(seconds=0.5))
    monkeypatch.setattr(once, "KEEP_EVERY", 0.05)
    workers = lists.desk.service.app.state.parts.workers  # type: ignore[attr-defined]
    lines = [f"{number(n)},{'x' * 100}" for n in range(LONG // 100)]
    async with workers._leased():  # the only one there is
        waiting = asyncio.create_task(lists.send(file("phone,name", *lines), key="patient"))
        async with asyncio.timeout(30):
            for _ in range(20):  # sweeps, in more time than the lease is long
                await lists.desk.pool.execute("SELECT pg_sleep(0.05)")
                async with lists.desk.pool.acquire() as conn:
                    await staged.drop_dead_uploads(conn)
        assert not waiting.done()
        again = await lists.send(file("phone,name", *lines), key="patient")
        assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_running")
    answer = await waiting
    assert (answer.status_code, counts(answer.json())) == (201, (len(lines), 0, 0))


@pytest.mark.parametrize("change", [rb'{"name": "\ud800"}', rb'{"variables": {"x": "\udc00"}}'])
async def test_half_a_character_is_no_change(lists: ListDesk, change: bytes) -> None:
    into = (await lists.take(people(1)))["list_id"]
    headers = {"Content-Type": "application/json"}
    url = f"{LISTS}/{into}/rows/1"
    for params in ({}, {"dry_run": "true"}):
        answer = await lists.http.patch(url, content=change, headers=headers, params=params)
        assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid"), answer.text


async def test_what_is_typed_has_a_bound_far_below_that_of_a_list(lists: ListDesk) -> None:
    into = (await lists.take(people(1)))["list_id"]
    large = {"name": "n" * 1024 * 1024}
    answers = [
        await lists.http.patch(f"{LISTS}/{into}/rows/1", json=large),
        await lists.http.put(f"/v1/agents/{AGENT}", json=large),
    ]
    assert {(it.status_code, it.json()["code"]) for it in answers} == {(413, "upload_too_large")}
    long = await lists.mend(into, 1, name="n" * 200_000)
    assert (long.status_code, long.json()["code"]) == (422, "row_too_large")


async def test_searches_leave_connections_to_others(
    lists: ListDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = (await lists.take(people(1, 2)))["list_id"]
    begun, go_on = asyncio.Event(), asyncio.Event()
    opened = asyncio.to_thread

    async def slowly(function: object, *args: object) -> object:
        begun.set()
        await go_on.wait()
        return await opened(function, *args)  # type: ignore[arg-type]

    monkeypatch.setattr("services.ingest.lists.answers.asyncio.to_thread", slowly)
    searches = [asyncio.create_task(lists.page(into, search="Person")) for _ in range(30)]
    async with asyncio.timeout(30):
        await begun.wait()
        assert await lists.desk.pool.fetchval("SELECT 1") == 1
        assert (await lists.http.get("/readyz")).status_code == 200
        go_on.set()
        pages = await asyncio.gather(*searches)
    assert {len(page["data"]) for page in pages} == {2}
