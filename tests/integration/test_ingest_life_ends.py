"""Deleted is gone, once no call can begin any more; added is in only when the scheduler says so."""

import asyncio
from uuid import UUID, uuid4

import httpx2
import pytest

from contracts.batches import BatchDeleted, RecipientsAddRequested
from contracts.ids import addition_id_of, recipient_id_of
from contracts.recipients import RecipientsAdded
from contracts.statuses import BatchStatus
from tests.conftest import databases
from tests.counter import until
from tests.desk import Desk, a_batch, open_desk, recipients, settings_for
from tests.others import added, closed, impatience, refused, removed, say


@pytest.fixture
def desk(patient_desk: Desk) -> Desk:
    return patient_desk


async def new(desk: Desk, count: int = 2, **more: object) -> UUID:
    body = a_batch(**more) if more else a_batch(recipients=recipients(count))
    return UUID((await desk.post(body)).json()["batch_id"])


async def key_of(desk: Desk, scope: str) -> bytes | None:
    return await desk.service.ground.vault.read(scope)


async def delete(desk: Desk, batch_id: UUID) -> int:
    return (await desk.http.delete(f"/v1/batches/{batch_id}")).status_code


async def test_a_batch_is_readable_until_no_call_of_it_can_begin_and_then_for_nobody(
    desk: Desk,
) -> None:
    batch_id = await new(desk)
    with impatience():
        assert await delete(desk, batch_id) == 202
    assert await key_of(desk, f"batch:{batch_id}") is not None
    await say(desk, closed(batch_id, 1, for_good=True, live=2))
    await until(lambda: desk.pool.fetchval("SELECT forgotten FROM batches WHERE batch_id = $1",
                                           batch_id))  # fmt: skip
    assert await key_of(desk, f"batch:{batch_id}") is None
    assert await delete(desk, batch_id) == 202  # two calls are live
    await say(desk, closed(batch_id, 1, for_good=True))
    async with asyncio.timeout(30):
        while await delete(desk, batch_id) != 204:
            pass
    deletions = [event for event in await desk.log_of(BatchDeleted) if event.batch_id == batch_id]
    assert len(deletions) == 1


async def test_a_deleted_batch_takes_no_command(desk: Desk) -> None:
    batch_id = await new(desk)
    with impatience():
        await delete(desk, batch_id)
    path = f"/v1/batches/{batch_id}"
    answers = [
        await desk.http.post(f"{path}/pause"),
        await desk.http.patch(path, json={"name": "New"}),
        await desk.http.post(f"{path}/recipients", json={"recipients": recipients(1)}),
    ]
    assert {(it.status_code, it.json()["code"]) for it in answers} == {(404, "batch_not_found")}


async def test_the_lists_a_batch_was_made_of_go_with_it(desk: Desk) -> None:
    body = {"recipients": recipients(3)}
    lists = [
        (await desk.http.post("/v1/recipient-lists", json=body)).json()["list_id"] for _ in range(2)
    ]
    batch_id = await new(desk, recipient_list_id=lists[0])
    path = f"/v1/batches/{batch_id}/recipients"
    with impatience():
        answer = await desk.http.post(path, json={"recipient_list_id": lists[1]})
    assert answer.status_code == 202
    await say(desk, closed(batch_id, 0, for_good=True))
    assert await delete(desk, batch_id) == 204
    for list_id in lists:
        assert (await desk.http.get(f"/v1/recipient-lists/{list_id}")).status_code == 404
        assert await key_of(desk, f"list:{list_id}") is None


async def test_deletes_at_once_are_one(desk: Desk) -> None:
    batch_id = await new(desk)
    await say(desk, closed(batch_id, 0, for_good=True))
    assert set(await asyncio.gather(*(delete(desk, batch_id) for _ in range(10)))) == {204}
    deletions = [event for event in await desk.log_of(BatchDeleted) if event.batch_id == batch_id]
    assert len(deletions) == 1


async def add(desk: Desk, batch_id: UUID, count: int = 2) -> httpx2.Response:
    people = recipients(count)
    return await desk.http.post(f"/v1/batches/{batch_id}/recipients", json={"recipients": people})


async def rows_of(desk: Desk, addition_id: UUID, least: int) -> list[int]:
    """The rows of an addition that are in the log, once there are so many."""
    async with asyncio.timeout(30):
        while True:
            chunks = [it for it in await desk.log_of(RecipientsAdded, 0)
                      if it.addition_id == addition_id]  # fmt: skip
            rows = [entry.row for chunk in chunks for entry in chunk.recipients]
            if len(rows) >= least:
                return rows


async def test_who_is_added_reaches_the_log_only_when_they_were_taken(desk: Desk) -> None:
    batch_id = await new(desk, 3)
    addition_id = addition_id_of(batch_id, 2)
    with impatience():
        answer = await add(desk, batch_id)
    assert (answer.status_code, answer.json()["confirmed"]) == (202, False)
    assert answer.json()["addition_id"] == str(addition_id)
    assert await rows_of(desk, addition_id, 0) == []
    await say(desk, added(batch_id, 2, addition_id))
    assert await rows_of(desk, addition_id, 2) == [4, 5]  # they count on
    with impatience():
        await add(desk, batch_id, 1)
    await say(desk, added(batch_id, 3, addition_id_of(batch_id, 3)))
    assert await rows_of(desk, addition_id_of(batch_id, 3), 1) == [6]


async def test_who_is_refused_is_nowhere(desk: Desk) -> None:
    batch_id = await new(desk)
    await say(desk, refused(batch_id, 2, "batch_ended"))
    answer = await add(desk, batch_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "batch_ended")
    assert answer.json()["batch_status"] == BatchStatus.COMPLETED
    await desk.swept()
    assert await rows_of(desk, addition_id_of(batch_id, 2), 0) == []


async def test_additions_at_once_never_share_a_row(desk: Desk) -> None:
    batch_id = await new(desk, 1)
    with impatience():
        answers = await asyncio.gather(*(add(desk, batch_id) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    asked = [it for it in await desk.log_of(RecipientsAddRequested) if it.batch_id == batch_id]
    assert len({it.addition.addition_id for it in asked}) == 4
    assert sorted(it.addition.last_row for it in asked) == [3, 5, 7, 9]


async def test_a_row_that_cannot_be_called_is_told_by_its_own_number(desk: Desk) -> None:
    batch_id = await new(desk, 3)
    body = {"recipients": [{"phone_number": "12"}]}
    answer = await desk.http.post(f"/v1/batches/{batch_id}/recipients", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_valid_recipients")
    assert [error["row"] for error in answer.json()["errors"]] == [1]


async def test_one_is_removed_on_the_schedulers_word(desk: Desk) -> None:
    batch_id = await new(desk)
    recipient_id = recipient_id_of(addition_id_of(batch_id, 1), 1)
    path = f"/v1/batches/{batch_id}/recipients/{recipient_id}"
    await say(
        desk,
        removed(batch_id, 2, recipient_id),
        refused(batch_id, 3, "recipient_called"),
        refused(batch_id, 4, "recipient_not_found"),
    )
    answers = [await desk.http.delete(path) for _ in range(3)]
    assert [it.status_code for it in answers] == [202, 409, 404]
    assert [it.json().get("code") for it in answers] == [
        None,
        "recipient_called",
        "recipient_not_found",
    ]


async def test_a_lost_database_ends_a_delete_that_was_under_way(kafka: str, postgres: str) -> None:
    async with databases(postgres) as database:
        settings = await settings_for(kafka, database, f"t{uuid4().hex[:10]}.")
        async with open_desk(settings) as before:
            await before.with_directory()
            batch_id = await new(before)
            await before.swept()
            deleting = asyncio.create_task(before.http.delete(f"/v1/batches/{batch_id}"))
            await before.log_of(BatchDeleted)
            deleting.cancel()
        empty = (await settings_for(kafka, database, settings.topic_prefix)).postgres_dsn
        async with open_desk(settings.model_copy(update={"postgres_dsn": empty})) as after:
            await say(after, closed(batch_id, 0, for_good=True))
            async with asyncio.timeout(30):
                while await delete(after, batch_id) != 204:
                    pass
            assert await key_of(after, f"batch:{batch_id}") is None
