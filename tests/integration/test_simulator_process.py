"""The network as a process of its own: started by its environment, killed without warning."""

import asyncio
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.simulated_network import DEADLINE, Phones, Receiver, serving


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@asynccontextmanager
async def simulator(
    folder: Path, end: signal.Signals | None, room: int | None = None
) -> AsyncIterator[Phones]:
    """With `end` None it has to end of itself, as failed; its ledger may have `room` bytes."""
    port = free_port()
    environment = {
        **os.environ,
        "ROLLCALL_HTTP_HOST": "127.0.0.1",
        "ROLLCALL_HTTP_PORT": str(port),
        "ROLLCALL_LEDGER": str(folder / "ledger"),
        "ROLLCALL_BEHAVIOUR": json.dumps({"ring_seconds": [0, 0], "talk_seconds": 600}),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    receiver, url = Receiver(), f"http://127.0.0.1:{port}"
    try:
        async with serving(receiver.app()) as receiver.url, aiohttp.ClientSession() as session:
            phones = Phones(url, session, receiver)
            await healthy(phones)
            if room is not None:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (room, room))
            yield phones
            if end is not None:
                process.send_signal(end)
            async with asyncio.timeout(DEADLINE):
                assert await process.wait() in ({1} if end is None else {0, -end})
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def healthy(phones: Phones) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                status, _ = await phones.get("/healthz")
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)  # the pause of a poll under a deadline
            else:
                assert status == 200
                return


async def test_every_call_that_was_answered_for_survives_a_kill(tmp_path: Path) -> None:
    async with simulator(tmp_path, signal.SIGKILL) as phones:
        answers = await asyncio.gather(*(phones.call(f"call-{n}") for n in range(200)))
    promised = {answer["carrier_call_id"] for status, answer in answers if status == 201}
    assert len(promised) == 200
    async with simulator(tmp_path, signal.SIGTERM) as phones:
        entries = await phones.ledger()
        assert {
            entry["carrier_call_id"] for entry in entries if entry["kind"] == "ring"
        } == promised
        assert {call["reason"] for call in await phones.calls()} == {"lost"}
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))


async def test_a_full_disk_ends_the_network_and_what_it_told_is_what_it_knows_again(
    tmp_path: Path,
) -> None:
    promised: list[str] = []
    async with simulator(tmp_path, None, room=20_000) as phones:
        async with asyncio.timeout(DEADLINE):
            while True:
                status, answer = await phones.call(f"call-{len(promised)}")
                if status != 201:
                    break
                promised.append(answer["carrier_call_id"])
        assert status == 500
    assert (tmp_path / "ledger").stat().st_size == 20_000, "its last line is torn"
    async with simulator(tmp_path, signal.SIGTERM) as phones:
        assert [call["carrier_call_id"] for call in await phones.calls()][: len(promised)] == (
            promised
        )
        entries = await phones.ledger()
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        assert (await phones.call("another"))[0] == 201
