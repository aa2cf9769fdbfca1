"""The phone network as a carrier: what it takes, what it tells, what it remembers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.simulated_network import phone_network


async def test_an_answered_call_is_told_from_ring_to_end(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        status, placed = await phones.call("a")
        assert status == 201
        assert await phones.callbacks.events(3) == ["ringing", "answered", "ended"]
        ringing, answered, ended = phones.callbacks.got
        for body in (ringing, answered, ended):
            assert body["carrier_call_id"] == placed["carrier_call_id"]
            assert body["call_id"] == "a"
            assert body["at"].endswith("Z")
        assert answered["answered_by"] == ended["answered_by"] == "human"
        assert ended["sip_code"] == 200
        assert ended["duration"] < 1, "of a talk of no length, on a busy machine"
        assert "Ann" in ended["transcript"][0]["text"]
        assert "due date Monday" in ended["transcript"][0]["text"]
        assert ended["collected"] == {"confirmed": True, "due_date": "Monday"}
        async with phones.session.get(ended["recording_url"]) as recording:
            assert (await recording.read()).startswith(b"RIFF")


@pytest.mark.parametrize(
    ("ending", "code", "events"),
    [
        ("0001", 200, ["ringing", "answered", "ended"]),
        ("0002", 486, ["ended"]),
        ("0003", 480, ["ringing", "ended"]),
        ("0004", 200, ["ringing", "answered", "ended"]),
        ("0005", 603, ["ringing", "ended"]),
        ("0006", 404, ["ended"]),
    ],
)
async def test_a_magic_number_answers_in_its_way(
    tmp_path: Path, ending: str, code: int, events: list[str]
) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        await phones.call("a", to=f"+1202555{ending}")
        assert await phones.callbacks.events(len(events)) == events
        [call] = await phones.calls(call_id="a")
        assert (call["status"], call["sip_code"]) == ("ended", code)
        assert phones.callbacks.got[-1]["sip_code"] == code
        assert ("ring" in await phones.kinds("a")) == ("ringing" in events)


async def test_a_call_asked_for_twice_rings_twice_unless_told_otherwise(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        first, second = (await phones.call("a"))[1], (await phones.call("a"))[1]
        assert first != second
        await phones.behave(idempotent=True, ring_seconds=0, talk_seconds=0)
        assert (await phones.call("a")) == (201, first)
        kinds = await phones.kinds("a")
        assert (kinds.count("request"), kinds.count("ring")) == (3, 2)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"to": "Bob"}, "to: "),
        ({"to": 12025550001}, "to: "),
        ({"from": None}, "from: "),
        ({"call_id": ""}, "call_id: "),
        ({"callback_url": "ftp://example.org"}, "callback_url: "),
        ({"callback_url": "http://[::1"}, "give one such as http://"),
        ({"callback_url": "http://:80/"}, "give one such as http://"),
        ({"callback_url": "http://example.org:99999/"}, "give one such as http://"),
        ({"max_duration": 0}, "max_duration: "),
        ({"max_duration": "60"}, "max_duration: "),
        ({"variables": []}, "variables: "),
        ({"colour": "red"}, "colour: "),
    ],
)
async def test_a_call_that_is_not_well_asked_for_is_refused_with_the_reason(
    tmp_path: Path, changed: dict[str, Any], complaint: str
) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        status, answer = await phones.call("a", **changed)
        assert status == 400
        assert complaint in answer["reason"]
        [entry] = await phones.ledger()
        assert (entry["kind"], entry["accepted"], entry["status"]) == ("request", False, 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"call_id": 7}', b"\xff", b"[" * 100_000])
async def test_even_a_request_that_cannot_be_read_is_remembered(
    tmp_path: Path, body: bytes
) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        async with phones.session.post(f"{phones.url}/calls", data=body) as answer:
            assert answer.status == 400
        [entry] = await phones.ledger()
        assert (entry["kind"], entry["call_id"], entry["accepted"]) == ("request", None, False)


async def test_a_call_is_found_by_whatever_is_known_of_it(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        for n in range(3):
            await phones.call(f"call-{n}", to=f"+120255500{n}1", **{"from": f"+1202555100{n % 2}"})
        every = await phones.calls()
        assert [call["call_id"] for call in every] == ["call-0", "call-1", "call-2"]
        assert await phones.calls(call_id="call-1") == [every[1]]
        assert await phones.calls(to="+12025550021") == [every[2]]
        assert await phones.calls(to=" 12025550021") == [every[2]]
        assert await phones.calls(**{"from": "+12025551000"}) == [every[0], every[2]]
        assert await phones.calls(since=every[1]["created_at"]) == every[1:]
        assert await phones.calls(call_id="call-1", to="+12025550021") == []
        assert (await phones.get("/calls", since="2026-01-01T00:00:00"))[0] == 400
        assert (await phones.get("/calls", colour="red"))[0] == 400


async def test_a_ringing_call_that_is_hung_up_was_never_answered(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", ring_seconds=600) as phones:
        carrier_call_id = (await phones.call("a"))[1]["carrier_call_id"]
        assert (await phones.calls(call_id="a"))[0]["status"] == "ringing"
        status, call = await phones.post(f"/calls/{carrier_call_id}/hangup")
        assert (status, call["status"], call["sip_code"]) == (200, "ended", 487)
        assert await phones.callbacks.events(2) == ["ringing", "ended"]
        assert (await phones.post(f"/calls/{carrier_call_id}/hangup"))[1] == call
        assert (await phones.kinds("a")).count("end") == 1
        assert (await phones.post("/calls/nobody/hangup"))[0] == 404


async def test_a_conversation_that_is_hung_up_was_answered(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", talk_seconds=600) as phones:
        carrier_call_id = (await phones.call("a"))[1]["carrier_call_id"]
        assert (await phones.calls(call_id="a"))[0]["status"] == "in_progress"
        await phones.post(f"/calls/{carrier_call_id}/hangup")
        await phones.callbacks.events(3)
        ended = phones.callbacks.got[-1]
        assert (ended["sip_code"], ended["reason"]) == (200, "hangup")


async def test_no_conversation_is_longer_than_its_max_duration(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", talk_seconds=600) as phones:
        await phones.call("a", max_duration=0.05)
        await phones.callbacks.events(3)
        ended = phones.callbacks.got[-1]
        assert ended["reason"] == "max_duration"
        assert ended["duration"] < 600


async def test_a_hung_up_call_is_not_answered_later(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", ring_seconds=0.5, talk_seconds=600) as phones:
        carrier_call_id = (await phones.call("a"))[1]["carrier_call_id"]
        await phones.post(f"/calls/{carrier_call_id}/hangup")
        hung_up = await phones.kinds("a")
        await phones.call("b")
        await phones.callbacks.until(lambda got: got[-1:] != [] and got[-1]["event"] == "answered")
        assert hung_up.count("end") == 1
        assert "answer" not in await phones.kinds("a")


async def test_the_ledger_tells_each_step_and_can_be_followed(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger") as phones:
        await phones.call("a")
        await phones.callbacks.events(3)
        entries = await phones.ledger()
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry["kind"] for entry in entries][:4] == ["request", "ring", "answer", "end"]
        assert {entry["to"] for entry in entries} == {"+12025550001"}
        assert (await phones.ledger(after=2))[: len(entries) - 2] == entries[2:]
        assert await phones.ledger(after=1_000_000) == []
        async with phones.session.get(f"{phones.url}/ledger?after=-1") as answer:
            assert answer.status == 400


async def test_a_restart_remembers_every_call_and_loses_the_live_ones(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    async with phone_network(ledger) as phones:
        await phones.call("over")
        await phones.callbacks.events(3)
        await phones.behave(ring_seconds=600)
        await phones.call("ringing")
        await phones.behave(ring_seconds=0, talk_seconds=600)
        await phones.call("talking")
        before = await phones.calls()
    async with phone_network(ledger) as phones:
        over, ringing, talking = await phones.calls()
        assert over == before[0]
        assert [call["reason"] for call in (ringing, talking)] == ["lost", "lost"]
        assert (ringing["sip_code"], "answered_by" in ringing) == (500, False)
        assert (talking["sip_code"], talking["answered_by"]) == (200, "human")
        await phones.call("new")
        seqs = [entry["seq"] for entry in await phones.ledger()]
        assert seqs == list(range(1, len(seqs) + 1))


@pytest.mark.chaos
async def test_five_thousand_calls_are_held_at_once(tmp_path: Path) -> None:
    async with phone_network(tmp_path / "ledger", ring_seconds=0, talk_seconds=600) as phones:

        async def caller(line: int) -> set[int]:
            return {(await phones.call(f"{line}-{n}"))[0] for n in range(50)}

        heard = await asyncio.gather(*(caller(line) for line in range(100)))
        assert heard == [{201}] * 100
        assert (await phones.get("/healthz"))[1]["live"] == 5000
        assert {call["status"] for call in await phones.calls()} == {"in_progress"}
        assert set(await phones.callbacks.events(10_000)) == {"ringing", "answered"}
