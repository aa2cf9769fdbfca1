"""What keeps a process running, and what ends it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from deploy.embedded.parts import Keeper, Part
from deploy.embedded.ports import Ports, is_free
from deploy.embedded.postgres import Postgres, _forget_dead_postmaster
from deploy.embedded.postgres_home import copied, wheel
from deploy.embedded.problem import CannotStart
from deploy.embedded.processes import LEASH, Command
from deploy.embedded.secret import keep
from tests.running_up import eventually

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


def _part(folder: Path, program: str, *, stop_seconds: float = 10.0) -> Part:
    output = folder / "part.log"

    async def is_ready() -> bool:
        return output.exists() and "up" in output.read_text()

    argv = (sys.executable, "-c", program)
    return Part(Command("part", argv, output, stop_seconds=stop_seconds), is_ready)


async def test_a_part_that_fails_again_and_again_is_given_more_and_more_time(
    tmp_path: Path,
) -> None:
    keeper = Keeper(_part(tmp_path, "print('up', flush=True); import time; time.sleep(0.3)"))
    restarts = asyncio.Event()
    pids: list[int | None] = []

    def count(keeper: Keeper) -> None:
        pids.append(keeper.pid)
        if len(pids) == 3:
            restarts.set()

    keeper.changed = count
    with capture_logs() as logs:
        await keeper.start()
        await asyncio.wait_for(restarts.wait(), 30)
        await keeper.stop()
    delays = [entry["again_in_seconds"] for entry in logs if entry["event"] == "part_ended"]
    assert delays[:3] == [0.2, 0.4, 0.8]
    assert len(set(pids)) == 3


async def test_a_part_deaf_to_a_stop_is_killed_after_its_time(tmp_path: Path) -> None:
    keeper = Keeper(_part(tmp_path, DEAF, stop_seconds=0.2))
    await keeper.start()
    pid = keeper.pid
    assert pid is not None
    with capture_logs() as logs:
        await keeper.stop()
    assert [entry["event"] for entry in logs] == ["part_killed"]
    assert not psutil.pid_exists(pid)


async def test_a_part_that_ends_before_it_is_ready_fails_the_start(tmp_path: Path) -> None:
    keeper = Keeper(_part(tmp_path, "raise SystemExit('no such luck')"))
    with pytest.raises(CannotStart, match="part ended while starting: no such luck"):
        await keeper.start()


async def test_a_part_stopped_while_it_waits_to_be_started_again_stays_down(
    tmp_path: Path,
) -> None:
    keeper = Keeper(_part(tmp_path, SLEEPS))
    await keeper.start()
    first = keeper.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    async def gone() -> None:
        assert not psutil.pid_exists(first)

    await eventually(gone, AssertionError)
    await keeper.stop()
    assert keeper.pid == first


def test_a_child_whose_parent_has_already_gone_does_not_start(tmp_path: Path) -> None:
    nobody = "1" if os.getpid() != 1 else "2"
    arguments = [nobody, str(int(signal.SIGKILL)), str(os.geteuid()), sys.executable, "-c", ""]
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(LEASH), *arguments],
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode == 1
    assert "already gone" in ended.stderr


def test_a_pid_file_left_behind_does_not_forbid_the_start(tmp_path: Path) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n/some/data\n")  # alive, but no postmaster
    _forget_dead_postmaster(pid_file)
    assert not pid_file.exists()


def test_two_parts_never_get_one_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    claimed = [ports.claim(str(number)) for number in range(50)]
    assert len(set(claimed)) == 50
    assert all(map(is_free, claimed))
    again = Ports(tmp_path / "ports.json")
    assert [again.claim(str(number)) for number in range(50)] == claimed


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[1]", b'{"kafka": "x"}', b'{"kafka": 99999}', b"\xff"]
)
def test_ports_that_are_no_longer_known_are_chosen_anew_and_that_is_said(
    damaged: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "ports.json"
    file.write_bytes(damaged)
    with capture_logs() as logs:
        claimed = Ports(file).claim("kafka")
    assert [entry["event"] for entry in logs] == ["ports_not_remembered"]
    with capture_logs() as logs:
        assert Ports(file).claim("kafka") == claimed
    assert logs == []


def test_a_secret_cut_short_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"

    def cut(_: int) -> None:
        raise InterruptedError

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(InterruptedError):
        keep(file, "first", os.geteuid())
    monkeypatch.undo()
    assert not file.exists()
    keep(file, "second", os.geteuid())
    assert file.read_text() == "second"
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_empty_password_is_made_anew_only_while_there_is_no_database(tmp_path: Path) -> None:
    server = Postgres(tmp_path, tmp_path / "postgres.log", 1)
    file = tmp_path / "password"
    file.touch()
    password = server._remembered_password()
    assert len(password) > 20
    assert file.read_text() == password
    assert server._remembered_password() == password
    (tmp_path / "data").mkdir()
    file.write_text("")
    with pytest.raises(CannotStart, match="the database's password, is lost"):
        server._remembered_password()


def test_postgres_runs_from_a_copy_that_anybody_may_read(tmp_path: Path) -> None:
    home = copied(wheel(), tmp_path)
    said = subprocess.run([home / "bin" / "postgres", "-V"], capture_output=True, check=True)
    assert b"(PostgreSQL) 18" in said.stdout
    assert copied(wheel(), tmp_path) == home
