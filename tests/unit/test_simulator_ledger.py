"""The ledger forgets nothing it has confirmed, whatever kills it."""

import asyncio
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from simulator.ledger import Entry, Ledger, LedgerError
from tests.simulated_network import SlowDisk


async def opened(path: Path, **options: Any) -> tuple[Ledger, list[Entry]]:
    ledger = Ledger(path, **options)
    return ledger, list(ledger.load())


async def everything(ledger: Ledger, after: int = 0) -> list[Entry]:
    pieces = [piece async for piece in ledger.read(after)]
    return [json.loads(line) for line in b"".join(pieces).splitlines()]


async def test_nobody_is_told_before_the_disk_has_it_and_the_loop_never_waits(
    tmp_path: Path,
) -> None:
    disk = SlowDisk()
    ledger, _ = await opened(tmp_path / "ledger", fsync=disk)
    disk.stall()
    entry = ledger.append("ring", {"call_id": "a"})
    told = asyncio.create_task(ledger.durable(entry["seq"]))
    await disk.busy()
    assert await everything(ledger) == []
    assert not told.done()
    disk.let_go()
    await told
    assert [e["call_id"] for e in await everything(ledger)] == ["a"]
    await ledger.close()


async def test_all_who_wait_together_share_one_fsync(tmp_path: Path) -> None:
    disk = SlowDisk()
    ledger, _ = await opened(tmp_path / "ledger", fsync=disk)
    before = disk.count
    entries = [ledger.append("ring", {"call_id": str(n)}) for n in range(500)]
    await asyncio.gather(*(ledger.durable(entry["seq"]) for entry in entries))
    assert disk.count == before + 1
    await ledger.close()


async def test_an_entry_written_during_an_fsync_waits_for_the_next(tmp_path: Path) -> None:
    disk = SlowDisk()
    ledger, _ = await opened(tmp_path / "ledger", fsync=disk)
    before = disk.count
    disk.stall()
    first = ledger.append("ring", {"call_id": "first"})
    await disk.busy()
    second = ledger.append("ring", {"call_id": "second"})
    disk.let_go()
    await ledger.durable(first["seq"])
    assert [e["call_id"] for e in await everything(ledger)] == ["first"]
    await ledger.durable(second["seq"])
    assert disk.count == before + 2
    await ledger.close()


async def test_numbers_go_on_without_a_gap_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    for life in range(3):
        ledger, known = await opened(path)
        assert [entry["seq"] for entry in known] == list(range(1, 10 * life + 1))
        for n in range(10):
            ledger.append("ring", {"call_id": f"{life}-{n}"})
        await ledger.durable(ledger.seq)
        assert [e["seq"] for e in await everything(ledger, after=5)] == list(
            range(6, 10 * life + 11)
        )
        await ledger.close()


async def test_a_torn_last_line_is_cut_off_and_its_number_used_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger, _ = await opened(path)
    ledger.append("ring", {"call_id": "whole"})
    await ledger.durable(1)
    await ledger.close()
    with path.open("ab") as file:
        file.write(b'{"seq":2,"at":"2026-01-01T00:0')
    ledger, known = await opened(path)
    assert [entry["call_id"] for entry in known] == ["whole"]
    assert ledger.append("ring", {"call_id": "again"})["seq"] == 2
    await ledger.durable(2)
    assert [e["call_id"] for e in await everything(ledger)] == ["whole", "again"]
    await ledger.close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b'{"seq":1}\n{"seq":3}\n', "3 follows 1"), (b'{"seq":1}\n?\n', "no entry follows 1")],
)
async def test_a_damaged_ledger_stops_the_start(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(content)
    ledger = Ledger(path)
    with pytest.raises(LedgerError, match=complaint):
        list(ledger.load())
    await ledger.close()


async def test_one_ledger_has_one_writer(tmp_path: Path) -> None:
    ledger, _ = await opened(tmp_path / "ledger")
    with pytest.raises(LedgerError, match="another simulator"):
        Ledger(tmp_path / "ledger")
    await ledger.close()


async def test_a_disk_that_fails_confirms_nothing_ever_again(tmp_path: Path) -> None:
    working = [True]

    def fsync(file: int) -> None:
        if not working[0]:
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(file)

    ledger, _ = await opened(tmp_path / "ledger", fsync=fsync)
    working[0] = False
    for _ in range(2):
        entry = ledger.append("ring", {"call_id": "a"})
        with pytest.raises(LedgerError):
            await ledger.durable(entry["seq"])
        working[0] = True
    assert not ledger.healthy
    assert await everything(ledger) == []
    await ledger.close()
