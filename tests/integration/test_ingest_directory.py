"""The directory: full state each time, under a version that tells the newest."""

import base64
from collections.abc import AsyncIterator

import pytest

from contracts.directory import (
    AccountConfigured,
    AgentDisabled,
    AgentRegistered,
    PhoneNumberDisabled,
    PhoneNumberRegistered,
)
from tests.conftest import DatabaseFactory
from tests.desk import CALLER, Desk, Json, a_batch, codes, open_desk, recipients, settings_for


@pytest.fixture
async def desk(kafka: str, database: DatabaseFactory, topic_prefix: str) -> AsyncIterator[Desk]:
    async with open_desk(await settings_for(kafka, database, topic_prefix)) as desk:
        yield desk


async def test_an_account_that_nobody_configured_may_make_ten_calls_at_a_time(desk: Desk) -> None:
    [account] = await desk.log_of(AccountConfigured)
    assert (account.account_id, account.version, account.concurrency) == ("default", 1, 10)


async def test_an_account_is_replaced_whole(desk: Desk) -> None:
    window = a_batch()["window"]
    first = {"concurrency": 25, "default_window": window, "allowed_regions": ["FR", "US"]}
    assert (await desk.http.put("/v1/account", json=first)).status_code == 200
    answer = await desk.http.put("/v1/account", json={"concurrency": 30})
    assert answer.json() == {
        "account_id": "default",
        "concurrency": 30,
        "default_window": None,
        "allowed_regions": None,
    }
    events = await desk.log_of(AccountConfigured, least=3)
    assert [event.version for event in events] == [1, 2, 3]
    assert [event.concurrency for event in events] == [10, 25, 30]


async def test_the_default_window_serves_a_batch_without_one(desk: Desk) -> None:
    await desk.with_directory()
    await desk.http.put("/v1/account", json={"default_window": a_batch()["window"]})
    answer = await desk.post(a_batch(window=None, recipients=recipients(1)))
    assert (answer.status_code, answer.json()["window"]["end"]) == (202, "24:00")


async def test_what_changes_nothing_is_no_event(desk: Desk) -> None:
    agent = {"name": "Ann", "phone_number": CALLER, "webhook_url": "https://example.com/hook"}
    first = await desk.http.put("/v1/agents/a1", json=agent)
    again = await desk.http.put("/v1/agents/a1", json=agent)
    assert again.json() == first.json() == {"agent_id": "a1", "active": True} | agent
    assert again.headers["Rollcall-Position"] == first.headers["Rollcall-Position"]
    place = base64.urlsafe_b64decode(first.headers["Rollcall-Position"]).decode()
    assert place == "directory:agent:a1:1"
    [event] = await desk.log_of(AgentRegistered)
    assert "example.com" not in event.model_dump_json()


async def test_what_is_disabled_stays_known_and_cannot_be_used(desk: Desk) -> None:
    await desk.with_directory()
    assert (await desk.http.delete(f"/v1/phone-numbers/{CALLER}")).status_code == 204
    answer = await desk.post(a_batch(recipients=recipients(1)))
    assert codes(answer) == ["from_number_not_found"]
    assert (await desk.http.delete("/v1/agents/reminders")).status_code == 204
    assert (await desk.http.delete("/v1/agents/reminders")).status_code == 204
    answer = await desk.post(a_batch(recipients=recipients(1)))
    assert codes(answer) == ["agent_inactive", "from_number_not_found"]
    [agent] = await desk.log_of(AgentDisabled)
    [number] = await desk.log_of(PhoneNumberDisabled)
    assert (agent.version, agent.active) == (2, False)
    assert (number.version, number.active, number.outbound) == (2, False, True)
    await desk.http.put(f"/v1/phone-numbers/{CALLER}", json={"outbound": True})
    *_, back = await desk.log_of(PhoneNumberRegistered, least=2)
    assert (back.version, back.active) == (3, True)


REFUSALS: list[tuple[str, Json, str]] = [
    ("/v1/account", {"concurrency": 0}, "field_invalid"),
    ("/v1/account", {"concurrency": "ten"}, "field_invalid"),
    ("/v1/account", {"allowed_regions": ["XX"]}, "field_invalid"),
    ("/v1/account", {"colour": "red"}, "unknown_field"),
    ("/v1/agents/a1", {"name": ""}, "name_length"),
    ("/v1/agents/a1", {"name": "A\0nn"}, "field_invalid"),
    ("/v1/agents/a1", {"name": "Ann", "phone_number": "12"}, "phone_not_e164"),
    ("/v1/agents/a%00", {"name": "Ann"}, "field_invalid"),
    ("/v1/phone-numbers/12", {"outbound": True}, "phone_not_e164"),
    (f"/v1/phone-numbers/{CALLER}", {"outbound": "yes"}, "field_invalid"),
    (f"/v1/phone-numbers/{CALLER}", {}, "field_invalid"),
]


async def test_an_entry_that_is_not_right_is_refused_by_name(desk: Desk) -> None:
    for path, body, code in REFUSALS:
        answer = await desk.http.put(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_what_was_never_registered_cannot_be_disabled(desk: Desk) -> None:
    for path, code in (
        ("/v1/agents/nobody", "agent_not_found"),
        ("/v1/phone-numbers/+442079460009", "phone_number_not_found"),
    ):
        answer = await desk.http.delete(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
