"""One Idempotency-Key, one batch: asked again, the first answer; never a second batch."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.batches import BatchCreated
from contracts.ids import batch_id_of
from services.ingest import store
from services.ingest.uploading import staged
from services.ingest.uploading.staged import UploadLostError
from tests.conftest import DatabaseFactory
from tests.desk import Desk, a_batch, csv_of, open_desk, recipients, settings_for

HEADERS = ("Location", "Rollcall-Position")


@pytest.fixture
async def desk(kafka: str, database: DatabaseFactory, topic_prefix: str) -> AsyncIterator[Desk]:
    async with open_desk(await settings_for(kafka, database, topic_prefix)) as desk:
        await desk.with_directory()
        yield desk


async def test_the_same_request_again_gets_the_first_answer(desk: Desk) -> None:
    first = await desk.post(a_batch(recipients=recipients(2)), key="monday")
    again = await desk.post(a_batch(recipients=recipients(2)), key="monday")
    assert (again.status_code, again.json()) == (202, first.json())
    assert [again.headers[name] for name in HEADERS] == [first.headers[name] for name in HEADERS]
    assert first.json()["batch_id"] == str(batch_id_of("default", "monday"))
    assert len(await desk.log_of(BatchCreated)) == 1


async def test_the_same_form_is_the_same_request_whatever_its_boundary(desk: Desk) -> None:
    first = await desk.send(a_batch(), csv_of(3), key="form")
    again = await desk.send(a_batch(), csv_of(3), key="form")
    other = await desk.send(a_batch(), csv_of(4), key="form")
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_first_body(desk: Desk) -> None:
    await desk.post(a_batch(recipients=recipients(2)), key="monday")
    other = await desk.post(a_batch(recipients=recipients(3)), key="monday")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_refusal_is_not_remembered(desk: Desk) -> None:
    body = a_batch(recipients=recipients(1), agent_id="late")
    refused = await desk.post(body, key="later")
    assert refused.json()["code"] == "agent_not_found"
    agent = {"name": "Late", "phone_number": "+442079460000"}
    await desk.http.put("/v1/agents/late", json=agent)
    assert (await desk.post(body, key="later")).status_code == 202


async def test_many_at_once_make_one_batch(desk: Desk) -> None:
    body = a_batch(recipients=recipients(50))
    answers = await asyncio.gather(*(desk.post(body, key="storm") for _ in range(8)))
    taken = [answer.json() for answer in answers if answer.status_code == 202]
    refused = {answer.json()["code"] for answer in answers if answer.status_code != 202}
    assert taken
    assert all(answer == taken[0] for answer in taken)
    assert refused <= {"idempotency_key_running"}
    assert len(await desk.log_of(BatchCreated)) == 1


async def test_a_key_whose_request_still_runs_is_a_conflict(desk: Desk) -> None:
    await _held_by_another(desk, timedelta(minutes=1))
    answer = await desk.post(a_batch(recipients=recipients(1)), key="held")
    assert answer.status_code == 422, "another body"
    await desk.pool.execute("UPDATE idempotency SET body_digest = $1", await _digest_of_next(desk))
    answer = await desk.post(a_batch(recipients=recipients(1)), key="held")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_running")


async def test_the_key_of_a_request_that_died_may_be_used_again(desk: Desk) -> None:
    await _held_by_another(desk, timedelta(seconds=-1))
    assert (await desk.post(a_batch(recipients=recipients(1)), key="held")).status_code == 202


async def test_a_request_that_thaws_after_its_key_was_taken_changes_nothing(desk: Desk) -> None:
    frozen = uuid4()
    async with desk.pool.acquire() as conn:
        await staged.begin_upload(conn, frozen)
        assert await store.claim_key(conn, "default", "thaw", b"x", frozen)
        await conn.execute("UPDATE idempotency SET locked_until = now() - interval '1 second'")
        assert await store.claim_key(conn, "default", "thaw", b"x", uuid4())
        assert not await store.answer_key(conn, frozen, 202, {}, "batch:x", "sealed")


async def test_rows_cannot_be_added_to_an_upload_that_was_given_up(desk: Desk) -> None:
    upload_id = uuid4()
    async with desk.pool.acquire() as conn:
        await staged.begin_upload(conn, upload_id)
        await staged.abandon(conn, upload_id)
        with pytest.raises(UploadLostError):
            await staged.stage(conn, upload_id, [], [])


async def test_the_answer_dies_with_the_key_of_its_batch(desk: Desk) -> None:
    body = a_batch(recipients=recipients(1))
    batch_id = (await desk.post(body, key="gone")).json()["batch_id"]
    await desk.service.ground.seals.destroy(f"batch:{batch_id}")
    answer = await desk.post(body, key="gone")
    assert (answer.status_code, answer.json()["code"]) == (410, "batch_deleted")
    kept = await desk.pool.fetchrow("SELECT * FROM idempotency")
    assert "Reminders" not in str(dict(kept))


async def _held_by_another(desk: Desk, lasts: timedelta) -> None:
    async with desk.pool.acquire() as conn:
        await store.claim_key(conn, "default", "held", b"another body", uuid4())
        await conn.execute("UPDATE idempotency SET locked_until = now() + $1::interval", lasts)


async def _digest_of_next(desk: Desk) -> bytes:
    await desk.post(a_batch(recipients=recipients(1)), key="to know the digest")
    digest: bytes = await desk.pool.fetchval(
        "SELECT body_digest FROM idempotency WHERE key = 'to know the digest'"
    )
    return digest
