"""While the disk is slow the network says nothing, and keeps serving."""

import asyncio
import errno
import json
from pathlib import Path

from tests.simulated_network import DEADLINE, Phones, SlowDisk, phone_network


async def serves_others(phones: Phones) -> None:
    """Enough round trips for an answer that did not wait for the disk to have arrived."""
    for _ in range(20):
        assert (await phones.get("/healthz"))[0] == 200


async def test_no_answer_leaves_before_its_ring_is_on_the_disk(tmp_path: Path) -> None:
    disk = SlowDisk()
    async with phone_network(tmp_path / "ledger", disk) as phones:
        disk.stall()
        asked = asyncio.create_task(phones.call("a"))
        await disk.busy()
        await serves_others(phones)
        assert not asked.done()
        assert await phones.ledger() == []
        assert phones.callbacks.got == []
        disk.let_go()
        assert (await asked)[0] == 201
        kinds = [entry["kind"] for entry in await phones.ledger()]
        assert kinds[:2] == ["request", "ring"]


async def test_no_refusal_leaves_before_its_request_is_on_the_disk(tmp_path: Path) -> None:
    disk = SlowDisk()
    async with phone_network(tmp_path / "ledger", disk, faults={"error_5xx": 1}) as phones:
        disk.stall()
        asked = asyncio.create_task(phones.call("a"))
        await disk.busy()
        await serves_others(phones)
        assert not asked.done()
        disk.let_go()
        assert (await asked)[0] in {500, 503}


async def test_an_end_is_told_to_nobody_before_it_is_on_the_disk(tmp_path: Path) -> None:
    disk = SlowDisk()
    async with phone_network(tmp_path / "ledger", disk, talk_seconds=600) as phones:
        carrier_call_id = (await phones.call("a"))[1]["carrier_call_id"]
        await phones.callbacks.events(2)
        disk.stall()
        hung_up = asyncio.create_task(phones.post(f"/calls/{carrier_call_id}/hangup"))
        await disk.busy()
        await serves_others(phones)
        assert not hung_up.done()
        assert len(phones.callbacks.got) == 2
        disk.let_go()
        assert (await hung_up)[1]["status"] == "ended"
        assert await phones.callbacks.events(3) == ["ringing", "answered", "ended"]


async def test_a_call_hung_up_before_it_could_ring_never_begins(tmp_path: Path) -> None:
    disk = SlowDisk()
    async with phone_network(tmp_path / "ledger", disk) as phones:
        disk.stall()
        asked = asyncio.create_task(phones.call("a"))
        await disk.busy()
        written, *_ = (tmp_path / "ledger").read_text().splitlines()  # nobody has been told yet
        hang_up = f"/calls/{json.loads(written)['carrier_call_id']}/hangup"
        hung_up = asyncio.create_task(phones.post(hang_up))
        async with asyncio.timeout(DEADLINE):
            while (await phones.get("/healthz"))[1]["live"]:
                assert not asked.done()
        disk.let_go()
        assert (await hung_up)[1]["sip_code"] == 487
        assert (await asked)[0] == 201
        assert await phones.callbacks.events(1) == ["ended"]
        kinds = await phones.kinds("a")
        assert (kinds.count("end"), kinds.count("answer")) == (1, 0)


async def test_a_call_is_shown_to_nobody_before_it_is_on_the_disk(tmp_path: Path) -> None:
    disk = SlowDisk()
    async with phone_network(tmp_path / "ledger", disk) as phones:
        disk.stall()
        asked = asyncio.create_task(phones.call("a"))
        await disk.busy()
        looked_up = asyncio.create_task(phones.calls(call_id="a"))
        await serves_others(phones)
        assert not looked_up.done()
        disk.let_go()
        [call] = await looked_up
        assert (await asked)[1]["carrier_call_id"] == call["carrier_call_id"]


async def test_a_network_whose_disk_has_failed_tells_of_no_call(tmp_path: Path) -> None:
    working = [True]

    def fsync(_file: int) -> None:
        if not working[0]:
            raise OSError(errno.ENOSPC, "No space left on device")

    async with phone_network(tmp_path / "ledger", fsync) as phones:
        working[0] = False
        assert (await phones.call("a"))[0] == 500
        assert (await phones.get("/calls", call_id="a"))[0] == 503
        assert (await phones.get("/calls", call_id="unheard-of"))[0] == 503
