"""A batch calls those of a list who can be called when it is made, whole or not at all."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.vault import batch_scope
from contracts.recipients import RecipientsAdded, RecipientsRejected
from contracts.sealed import RecipientSecrets, Rejections
from services.ingest.lists import pages
from tests.desk import a_batch, codes
from tests.list_desk import ListDesk, file, number, people, person

COUNTS = """
    SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM additions),
           (SELECT count(*) FROM uploads), (SELECT count(*) FROM lists),
           (SELECT count(*) FROM idempotency)
"""


async def of_list(lists: ListDesk, list_id: str, **more: Any) -> Any:
    return await lists.desk.post(a_batch(recipient_list_id=list_id, start=False, **more))


async def told(
    lists: ListDesk, batch_id: str, rejected: int
) -> tuple[dict[int, Any], dict[int, Any]]:
    """What the log holds of a batch: numbers by row, and codes by row."""
    of_batch = UUID(batch_id)
    seal = await lists.desk.service.ground.seals.of(batch_scope(batch_id))
    assert seal is not None
    called: dict[Any, Any] = {}
    refused: dict[Any, Any] = {}
    async with asyncio.timeout(30):
        while len(refused) < rejected:
            for event in await lists.desk.log():
                if isinstance(event, RecipientsAdded) and event.batch_id == of_batch:
                    opened = [
                        (it, seal.open(it.sealed, RecipientSecrets)) for it in event.recipients
                    ]
                    called |= {it.row: secret and secret.phone_number for it, secret in opened}
                if isinstance(event, RecipientsRejected) and event.batch_id == of_batch:
                    found = seal.open(event.sealed, Rejections)
                    assert found is not None
                    refused |= {it.row: [error.code for error in it.errors] for it in found.rows}
    return called, refused


async def test_rows_keep_their_numbers_in_the_batch_and_its_error_log(lists: ListDesk) -> None:
    first = await lists.take(file("phone,name", number(1), "12-34", number(2), f"{number(3)},,x"))
    into = first["list_id"]
    await lists.take(people(4, 5), into)
    await lists.remove(into, 5)
    await lists.mend(into, 1, phone_number=number(9))
    answer = await of_list(lists, into)
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert (batch["recipients"]["total"], batch["recipients"]["rejected"]) == (3, 2)
    called, refused = await told(lists, batch["batch_id"], rejected=2)
    assert called == {1: number(9), 3: number(2), 6: number(5)}
    assert refused == {2: ["phone_not_digits"], 4: ["too_many_cells"]}


async def test_a_batch_that_takes_no_wrong_row_refuses_a_list_with_one(lists: ListDesk) -> None:
    into = (await lists.take(file("phone", number(1), "12-34")))["list_id"]
    before = await lists.desk.pool.fetchval("SELECT count(*) FROM batches")
    answer = await of_list(lists, into, on_invalid="reject")
    assert (answer.status_code, answer.json()["code"]) == (422, "rows_rejected")
    assert [(it["row"], it["code"]) for it in answer.json()["errors"]] == [(2, "phone_not_digits")]
    assert await lists.desk.pool.fetchval("SELECT count(*) FROM batches") == before
    await lists.nothing_astray()
    await lists.remove(into, 2)
    assert (await of_list(lists, into, on_invalid="reject")).status_code == 202


async def test_a_list_that_is_not_there_makes_no_batch(lists: ListDesk) -> None:
    deleted = (await lists.take(people(1)))["list_id"]
    await lists.delete(deleted)
    for list_id in (str(uuid4()), deleted):
        for path in ("/v1/batches", "/v1/batches/preview"):
            body = a_batch(recipient_list_id=list_id)
            answer = await lists.http.post(path, json=body)
            assert (answer.status_code, codes(answer)) == (422, ["list_not_found"]), answer.text
    malformed = await of_list(lists, "my list")
    assert (malformed.status_code, codes(malformed)) == (422, ["field_invalid"])
    both = await of_list(lists, deleted, recipients=[person(1)])
    assert both.status_code == 422


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/batches/preview"])
async def test_a_list_deleted_while_it_is_read_makes_no_batch_of_its_half(
    lists: ListDesk, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    into = (await lists.take(people(*range(2_500))))["list_id"]
    loop, read = asyncio.get_running_loop(), pages.make

    def delete_after_first(*page: Any) -> Any:
        monkeypatch.setattr(pages, "make", read)
        asyncio.run_coroutine_threadsafe(lists.delete(into), loop).result(timeout=20)
        return read(*page)

    monkeypatch.setattr(pages, "AT_ONCE", 1)
    monkeypatch.setattr(pages, "make", delete_after_first)
    answer = await lists.http.post(path, json=a_batch(recipient_list_id=into))
    assert (answer.status_code, codes(answer)) == (422, ["list_not_found"]), answer.text


async def test_who_may_not_be_called_any_more_is_refused_when_the_batch_is_made(
    lists: ListDesk,
) -> None:
    french, suppressed = "+33142685300", number(77)
    rows = [{"phone": french}, {"phone": suppressed}, person(3)]
    taken = await lists.take({"json": {"recipients": rows}})
    assert taken["accepted"] == 3
    await lists.http.put(f"/v1/suppressions/{suppressed}", json={})
    await lists.http.put("/v1/account", json={"allowed_regions": ["US"]})
    try:
        answer = await of_list(lists, taken["list_id"])
        preview = await lists.http.post(
            "/v1/batches/preview", json=a_batch(recipient_list_id=taken["list_id"])
        )
    finally:
        await lists.http.put("/v1/account", json={})
        await lists.http.delete(f"/v1/suppressions/{suppressed}")
    called, refused = await told(lists, answer.json()["batch_id"], rejected=2)
    assert (called, refused) == ({3: number(3)}, {1: ["region_not_allowed"], 2: ["suppressed"]})
    assert preview.json()["will_call"] == 1
    reasons = [{"reason": it, "count": 1} for it in ("region_not_allowed", "suppressed")]
    assert preview.json()["skipped"] == reasons
    again = await of_list(lists, taken["list_id"], on_invalid="reject")
    assert again.status_code == 202


async def test_a_list_without_anybody_to_call_makes_no_batch(lists: ListDesk) -> None:
    into = (await lists.take({"json": {"recipients": [{"phone": "x"}]}}))["list_id"]
    for _ in range(2):
        answer = await of_list(lists, into)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_valid_recipients")
        await lists.remove(into, 1)


async def test_the_same_key_makes_one_batch_of_a_list(lists: ListDesk) -> None:
    into = (await lists.take(people(1, 2)))["list_id"]
    body = a_batch(recipient_list_id=into, start=False)
    first = await lists.desk.post(body, key="of list")
    await lists.delete(into)
    again = await lists.desk.post(body, key="of list")
    assert (again.status_code, again.json()) == (202, first.json())
