"""`rollcall up` from its first line to its last, on real processes."""

import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2
import psutil
import pytest

from deploy.embedded.folder import DataFolder
from deploy.embedded.problem import CannotStart
from tests.running_up import Up, is_gone, running_up


async def test_it_answers_once_its_endpoints_are_written_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    up = Up(tmp_path / "data")
    endpoints = up.until_ready()
    for url in (endpoints["ingest"], endpoints["simulator"], *endpoints["dialers"]):
        assert httpx2.get(f"{url}/readyz").status_code == 200
    for dsn in (endpoints["postgres"], *endpoints["databases"].values()):
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()
    host, port = endpoints["kafka"].split(":")
    socket.create_connection((host, int(port)), timeout=5).close()
    children = up.descendants()
    code, _, _ = up.end()
    assert code == 0
    assert len(children) > 5  # PostgreSQL's own among them
    assert all(is_gone(child) for child in children)
    assert not (tmp_path / "data" / "endpoints.json").exists()


@pytest.mark.chaos
def test_the_next_start_uses_the_same_ports_unless_somebody_took_one(tmp_path: Path) -> None:
    with running_up(tmp_path / "data") as up:
        first = up.until_ready()
    busy = socket.create_server(("127.0.0.1", urlsplit(first["ingest"]).port or 0))
    busy_kafka = socket.create_server(("127.0.0.1", int(first["kafka"].split(":")[1])))
    with busy, busy_kafka, running_up(tmp_path / "data") as up:
        second = up.until_ready()
    assert second["simulator"] == first["simulator"]
    assert second["postgres"] == first["postgres"]
    assert second["ingest"] != first["ingest"]
    assert second["kafka"] != first["kafka"]


@pytest.mark.chaos
def test_a_folder_in_use_is_refused_and_its_user_named(tmp_path: Path) -> None:
    with running_up(tmp_path / "data") as up:
        up.until_ready()
        code, _, complained = Up(tmp_path / "data").refusal()
        assert code == 1
        folder, holder = tmp_path / "data", up.process.pid
        assert complained.splitlines() == [
            f"rollcall cannot start: {folder} is in use by another rollcall, pid {holder}"
        ]
        assert up.endpoints  # and the one that runs was not disturbed


@pytest.mark.chaos
def test_a_service_that_cannot_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    up = Up(tmp_path / "data", "-c", "raise SystemExit('out of luck')")
    code, _, complained = up.refusal()
    assert code == 1
    assert "one-more ended while starting: out of luck" in complained
    assert not (tmp_path / "data" / "endpoints.json").exists()


def test_without_its_jars_it_says_what_to_do(tmp_path: Path) -> None:
    code, _, complained = Up(tmp_path / "data", ROLLCALL_CACHE=str(tmp_path / "empty")).refusal()
    assert code == 1
    assert len(complained.splitlines()) == 1
    assert "cannot be fetched; connect once and run `make setup`" in complained


def test_a_folder_that_cannot_be_one_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, complained = Up(tmp_path / "file").refusal()
    assert (code, len(complained.splitlines())) == (1, 1)
    assert "cannot be used" in complained


def test_a_path_too_long_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotStart, match="choose a shorter one"),
        DataFolder.taken(tmp_path / ("long" * 60)),
    ):
        pass


def test_a_disk_almost_full_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 100 * 2**20})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with (
        pytest.raises(CannotStart, match="100 MB free; 512 MB are needed"),
        DataFolder.taken(tmp_path),
    ):
        pass


def test_the_key_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    with DataFolder.taken(tmp_path) as folder:
        key = folder.key()
        assert folder.key() == key
        assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.chaos
def test_the_endpoints_name_every_part_by_its_pid(tmp_path: Path) -> None:
    with running_up(tmp_path / "data") as up:
        pids = up.until_ready()["pids"]
        names = {name: psutil.Process(pid).name() for name, pid in pids.items()}
    assert names.keys() == {"up", "postgres", "kafka", "simulator", "ingest", "dialer-1"}
    assert names["kafka"] == "java"
    assert names["postgres"] == "postgres"
