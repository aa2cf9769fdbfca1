"""Every way a carrier can let its callers down, on demand."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.simulated_network import Receiver, phone_network, serving


async def test_above_its_rate_the_network_asks_to_come_back_later(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", calls_per_second=0.01) as phones:
        assert (await phones.call("first"))[0] == 201
        async with phones.session.post(
            f"{phones.url}/calls", json=phones.wanted("second")
        ) as answer:
            assert answer.status == 429
            assert 0 < int(answer.headers["Retry-After"]) <= 100
        assert await phones.kinds("second") == ["request"]
        assert await phones.calls(call_id="second") == []


@pytest.mark.parametrize(
    ("fault", "statuses"), [("unauthorized", {401}), ("error_5xx", {500, 503})]
)
async def test_a_refused_call_was_not_placed(
    tmp_path: Path, fault: str, statuses: set[int]
) -> None:
    async with phone_network(tmp_path / "ledger", faults={fault: 1}) as phones:
        assert {(await phones.call(f"call-{n}"))[0] for n in range(20)} == statuses
        assert await phones.calls() == []
        entries = await phones.ledger()
        assert len(entries) == 20
        assert {(e["kind"], e["accepted"]) for e in entries} == {("request", False)}
        assert {e["status"] for e in entries} == statuses


async def test_a_lost_request_leaves_the_caller_without_an_answer_or_a_call(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", faults={"lost_request": 1}) as phones:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await phones.call("a")
        assert await phones.calls(call_id="a") == []
        assert await phones.kinds("a") == ["request"]


async def test_a_lost_response_leaves_the_caller_without_an_answer_but_the_phone_rings(
    tmp_path: Path,
) -> None:
    async with phone_network(tmp_path / "ledger", faults={"lost_response": 1}) as phones:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await phones.call("a")
        assert await phones.callbacks.events(3) == ["ringing", "answered", "ended"]
        [call] = await phones.calls(call_id="a")
        assert call["status"] == "ended"
        assert (await phones.ledger())[0]["status"] is None


async def test_a_slow_network_rings_before_it_answers(tmp_path: Path) -> None:
    faults = {"slow": 1, "slow_seconds": 600}
    async with phone_network(tmp_path / "ledger", faults=faults) as phones:
        asked = asyncio.create_task(phones.call("a"))
        assert await phones.callbacks.events(3) == ["ringing", "answered", "ended"]
        assert not asked.done()
        asked.cancel()
    async with phone_network(tmp_path / "2", faults={**faults, "slow_seconds": 0.01}) as phones:
        assert (await phones.call("a"))[0] == 201


async def test_a_duplicated_callback_comes_twice(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", faults={"duplicate_callback": 1}) as phones:
        await phones.call("a")
        assert await phones.callbacks.events(6) == [
            *("ringing", "ringing"),
            *("answered", "answered"),
            *("ended", "ended"),
        ]


async def test_reordered_callbacks_come_after_what_followed_them(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", faults={"reordered_callback": 1}) as phones:
        await phones.call("a")
        assert await phones.callbacks.events(3) == ["ended", "answered", "ringing"]
        at = [body["at"] for body in phones.callbacks.got]
        assert at == sorted(at, reverse=True)


async def test_a_late_callback_keeps_nobody_waiting_but_its_own_call(tmp_path: Path) -> None:
    late = {"late_callback": 1, "late_seconds": 600}
    async with phone_network(tmp_path / "ledger", faults=late) as phones:
        await phones.call("late")
        await phones.behave(ring_seconds=0, talk_seconds=0)
        await phones.call("prompt")
        got = await phones.callbacks.until(lambda got: len(got) == 3)
        assert {body["call_id"] for body in got} == {"prompt"}
        assert (await phones.calls(call_id="late"))[0]["status"] == "ended"


async def test_a_late_callback_comes_in_the_end(tmp_path: Path) -> None:
    late = {"late_callback": 1, "late_seconds": 0.01}
    async with phone_network(tmp_path / "ledger", faults=late) as phones:
        await phones.call("a")
        assert await phones.callbacks.events(3) == ["ringing", "answered", "ended"]


@pytest.mark.parametrize("failing", [[500, 503], [429]])
async def test_a_callback_is_sent_again_until_it_is_taken_and_stays_in_order(
    tmp_path: Path, failing: list[int]
) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        phones.callbacks.failing = list(failing)
        await phones.call("a")
        assert await phones.callbacks.events(3) == ["ringing", "answered", "ended"]


async def test_a_callback_that_is_refused_for_good_is_not_sent_again(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        phones.callbacks.failing = [404]
        await phones.call("a")
        assert await phones.callbacks.events(2) == ["answered", "ended"]
        await phones.call("b")
        await phones.callbacks.events(5)
        told = [entry for entry in await phones.ledger() if entry["kind"] == "callback"]
        assert [(entry["event"], entry["delivered"]) for entry in told][:2] == [
            ("ringing", False),
            ("answered", True),
        ]


async def test_a_receiver_that_is_away_gets_its_callbacks_when_it_is_back(tmp_path: Path) -> None:
    receiver = Receiver()
    async with serving(receiver.app()) as url:
        port = int(url.rpartition(":")[2])
    async with phone_network(tmp_path / "ledger") as phones:
        await phones.call("a", callback_url=url)
        await phones.call("b")
        await phones.callbacks.events(3)
        assert {body["call_id"] for body in phones.callbacks.got} == {"b"}
        async with serving(receiver.app(), port):
            assert await receiver.events(3) == ["ringing", "answered", "ended"]
        assert {body["call_id"] for body in receiver.got} == {"a"}


async def test_a_behaviour_replaces_the_whole_of_the_one_before(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        await phones.behave(seed=3, calls_per_second=7, faults={"slow": 0.5})
        status, now = await phones.behave(ring_seconds=[1, 2])
        assert status == 200
        assert now["ring_seconds"] == [1, 2]
        assert (now["seed"], now["calls_per_second"], now["faults"]["slow"]) == (0, None, 0)
        assert (await phones.get("/behaviour"))[1] == now
        assert (await phones.behave(sead=1))[0] == 400
        assert (await phones.get("/behaviour"))[1] == now


async def test_the_same_calls_fare_alike_whatever_the_order_they_come_in(tmp_path: Path) -> None:
    faults: dict[str, Any] = {"error_5xx": 0.3, "unauthorized": 0.2}
    weights = {"answered": 1, "busy": 1}
    ids = [f"call-{n}" for n in range(60)]
    stories: list[tuple[dict[str, int], dict[str, int]]] = []
    for order in (ids, ids[::-1]):
        ledger = tmp_path / f"ledger-{len(stories)}"
        async with phone_network(ledger, seed=11, outcomes=weights, faults=faults) as phones:
            answers = {call: (await phones.call(call, to="+12025559999"))[0] for call in order}
            codes = {call["call_id"]: call["sip_code"] for call in await phones.calls()}
            stories.append((answers, codes))
    assert stories[0] == stories[1]
    assert len(set(stories[0][0].values())) > 2
