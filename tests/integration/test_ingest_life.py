"""An action is answered 200 only on others' word that it is done; without it, 202; refused, 409."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from contracts.batches import BatchPauseRequested, BatchRenamed, BatchRetryRequested
from contracts.ids import command_id_of
from contracts.status import BatchResumed
from contracts.statuses import BatchStatus
from services.ingest.life import store as life_store
from services.ingest.position import of_command
from services.projections.domain.position import read_position
from tests.counter import until
from tests.desk import Desk, a_batch, codes, recipients
from tests.others import accepted, closed, impatience, refused, say

PAUSE, RESUME = "pause", "resume"


@pytest.fixture
def desk(patient_desk: Desk) -> Desk:
    return patient_desk


@pytest.fixture
async def batch_id(desk: Desk) -> UUID:
    answer = await desk.post(a_batch(recipients=recipients(2)))
    return UUID(answer.json()["batch_id"])


async def ask(desk: Desk, batch_id: UUID, action: str, key: str | None = None) -> httpx2.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await desk.http.post(f"/v1/batches/{batch_id}/{action}", headers=headers)


async def asked_of(desk: Desk, kind: type[Any], batch_id: UUID, least: int = 1) -> list[Any]:
    async with asyncio.timeout(30):
        while True:
            found = [event for event in await desk.log_of(kind) if event.batch_id == batch_id]
            if len(found) >= least:
                return found


async def folded(desk: Desk, batch_id: UUID, command_no: int) -> None:
    """Until the verdict on it is written down."""
    command_id = command_id_of(batch_id, command_no)
    query = "SELECT EXISTS (SELECT FROM verdicts WHERE command_id = $1)"
    await until(lambda: desk.pool.fetchval(query, command_id))


async def test_a_command_nobody_has_judged_is_taken_and_not_confirmed(
    desk: Desk, batch_id: UUID
) -> None:
    with impatience():
        answer = await ask(desk, batch_id, PAUSE)
    assert (answer.status_code, answer.json()["confirmed"]) == (202, False)
    position = read_position(answer.headers["Rollcall-Position"])
    assert (position.batch_id, position.command_no) == (batch_id, 2)  # type: ignore[union-attr]
    [command] = await asked_of(desk, BatchPauseRequested, batch_id)
    assert (command.command_no, command.actor) == (2, "api")


async def test_a_pause_is_done_when_its_gate_has_closed_and_not_before(
    desk: Desk, batch_id: UUID
) -> None:
    await say(desk, closed(batch_id, 2), accepted(batch_id, 2, epoch=3))
    await folded(desk, batch_id, 2)
    with impatience():
        answer = await ask(desk, batch_id, PAUSE)
    assert (answer.status_code, answer.json()["status"]) == (202, BatchStatus.PAUSED)
    asking = asyncio.create_task(ask(desk, batch_id, PAUSE))
    await asked_of(desk, BatchPauseRequested, batch_id, least=2)
    await say(desk, accepted(batch_id, 3, epoch=3), closed(batch_id, 3))
    answer = await asking
    assert (answer.status_code, answer.json()["confirmed"]) == (200, True)
    assert answer.json()["allowed_actions"] == ["resume", "cancel", "rename", "delete"]
    assert read_position(answer.headers["Rollcall-Position"]).sequence == 3  # type: ignore[union-attr]


async def test_a_resume_needs_no_gate(desk: Desk, batch_id: UUID) -> None:
    await say(desk, accepted(batch_id, 2, kind=BatchResumed))
    assert (await ask(desk, batch_id, RESUME)).status_code == 200


async def test_a_refusal_names_the_status_and_what_is_allowed(desk: Desk, batch_id: UUID) -> None:
    await say(desk, refused(batch_id, 2, "action_not_allowed"))
    answer = await ask(desk, batch_id, PAUSE)
    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["batch_status"]) == ("action_not_allowed", "COMPLETED")
    assert told["allowed_actions"] == ["rename", "delete"]


async def test_the_same_key_asks_once_and_is_told_what_has_come_of_it(
    desk: Desk, batch_id: UUID
) -> None:
    key = uuid4().hex
    with impatience():
        first = await ask(desk, batch_id, PAUSE, key)
    await say(desk, accepted(batch_id, 2), closed(batch_id, 1))
    again = await ask(desk, batch_id, PAUSE, key)
    assert (first.status_code, again.status_code) == (202, 200)
    other = await desk.http.post(f"/v1/batches/{batch_id}/resume", headers={"Idempotency-Key": key})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await asked_of(desk, BatchPauseRequested, batch_id)) == 1


async def test_a_refused_command_leaves_its_key_free(desk: Desk, batch_id: UUID) -> None:
    key = uuid4().hex
    await say(desk, refused(batch_id, 2, "action_not_allowed"))
    assert (await ask(desk, batch_id, PAUSE, key)).status_code == 409
    await say(desk, accepted(batch_id, 3), closed(batch_id, 1))
    assert (await ask(desk, batch_id, PAUSE, key)).status_code == 200
    assert len(await asked_of(desk, BatchPauseRequested, batch_id, least=2)) == 2


async def test_a_refusal_takes_back_its_own_key_and_no_later_one(
    desk: Desk, batch_id: UUID
) -> None:
    """Two ask under one key; the slower one is told of the refusal when the key is used again."""
    key = uuid4().hex
    slow, quick = [asyncio.create_task(ask(desk, batch_id, PAUSE, key)) for _ in range(2)]
    await asked_of(desk, BatchPauseRequested, batch_id)
    await say(desk, refused(batch_id, 2, "action_not_allowed"))
    assert {(await slow).status_code, (await quick).status_code} == {409}
    await say(desk, accepted(batch_id, 3), closed(batch_id, 1))
    assert (await ask(desk, batch_id, PAUSE, key)).status_code == 200
    place = of_command(batch_id, 2)
    await desk.pool.execute(life_store.Q.take_back_key, "default", key, place)  # as late as can be
    assert (await ask(desk, batch_id, PAUSE, key)).status_code == 200
    assert len(await asked_of(desk, BatchPauseRequested, batch_id, least=2)) == 2


async def test_no_body_and_an_empty_one_mean_the_same_whatever_they_are_called(
    desk: Desk, batch_id: UUID
) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    path = f"/v1/batches/{batch_id}/pause"
    await say(desk, accepted(batch_id, 2), closed(batch_id, 1))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [
        await desk.http.post(path, headers=key),
        await desk.http.post(path, headers=key, json={}),
        await desk.http.post(path, headers=key | form, content=b"{}"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    renamed = await desk.http.patch(f"/v1/batches/{batch_id}", content=b'{"name": "Curl"}')
    assert renamed.status_code == 200
    malformed = await desk.http.post(path, content=b"{")
    assert (malformed.status_code, malformed.json()["code"]) == (400, "body_invalid")


async def test_commands_at_once_are_numbered_one_after_the_other(
    desk: Desk, batch_id: UUID
) -> None:
    with impatience():
        answers = await asyncio.gather(*(ask(desk, batch_id, PAUSE) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    commands = await asked_of(desk, BatchPauseRequested, batch_id, least=10)
    assert [command.command_no for command in commands] == list(range(2, 12))


async def test_a_retry_says_whether_the_unknown_are_meant(desk: Desk, batch_id: UUID) -> None:
    path = f"/v1/batches/{batch_id}/retry"
    with impatience():
        await desk.http.post(path, json={"include_unknown": True})
        await desk.http.post(path)
    commands = await asked_of(desk, BatchRetryRequested, batch_id, least=2)
    assert [command.include_unknown for command in commands] == [True, False]
    wrong = await desk.http.post(path, json={"include_unknown": 1, "epoch": 4})
    assert (wrong.status_code, sorted(codes(wrong))) == (422, ["field_invalid", "unknown_field"])


async def test_only_the_name_can_be_changed(desk: Desk, batch_id: UUID) -> None:
    path = f"/v1/batches/{batch_id}"
    locked = await desk.http.patch(path, json={"name": "New", "agent_id": "other"})
    assert (locked.status_code, codes(locked)) == (422, ["field_locked"])
    assert codes(await desk.http.patch(path, json={"window": None})) == ["field_locked"]
    for name in ("", " ", "x" * 101):
        answer = await desk.http.patch(path, json={"name": name})
        assert (answer.status_code, answer.json()["code"]) == (422, "name_length")
    assert (await desk.http.patch(path, json={})).status_code == 422
    answer = await desk.http.patch(path, json={"name": "Später"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Später")
    [renamed] = await asked_of(desk, BatchRenamed, batch_id)
    seal = await desk.service.ground.seals.of(f"batch:{batch_id}")
    assert seal is not None
    assert (seal.text(renamed.name), "Später" in renamed.name) == ("Später", False)


async def test_nobody_commands_a_batch_that_is_not_there(desk: Desk) -> None:
    path = f"/v1/batches/{uuid4()}"
    answers = [
        await desk.http.post(f"{path}/start"),
        await desk.http.patch(path, json={"name": "New"}),
        await desk.http.delete(path),
        await desk.http.post(f"{path}/recipients", json={"recipients": recipients(1)}),
        await desk.http.delete(f"{path}/recipients/{uuid4()}"),
    ]
    assert {(it.status_code, it.json()["code"]) for it in answers} == {(404, "batch_not_found")}


async def test_a_command_is_small(desk: Desk, batch_id: UUID) -> None:
    body = b" " * (1024 * 1024 + 1)
    answer = await desk.http.post(f"/v1/batches/{batch_id}/pause", content=body)
    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
