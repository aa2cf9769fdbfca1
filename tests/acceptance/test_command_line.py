"""What a person types does what it says, in words or as JSON, and its exit code can be believed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house import AGENT, QUICK, ROOT, House, csv_of

ANY_HOUR = ("--window", "00:00-24:00", "--zone", "UTC")


@pytest.fixture(scope="module")
def running(standing: House) -> House:
    standing.prepare(concurrency=10)
    standing.behave(seed=1, **QUICK)
    return standing


def rollcall(*words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def read(said: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_a_list_is_uploaded_watched_and_shown(running: House, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(csv_of(["+442079460001", "+442079460003", "+442079460006", "12-34"]))
    at = ("--data-dir", running.folder)
    created = rollcall(
        "batch", "create", file, "--agent", AGENT, *ANY_HOUR, "--watch", "--json", *at
    )
    assert created.returncode == 0, created.stderr
    batch = read(created)
    assert (batch["status"], batch["name"]) == ("COMPLETED", "people")
    assert (batch["recipients"]["total"], batch["recipients"]["rejected"]) == (3, 1)

    shown = rollcall("batch", "show", batch["batch_id"], *at)
    assert "COMPLETED" in shown.stdout
    watched = rollcall("batch", "watch", batch["batch_id"], *at)
    assert "3 of 3, 1 completed  1 no answer  1 failed  1 rejected" in " ".join(
        watched.stdout.split("\n")
    )
    listed = read(rollcall("batch", "list", "--json", *at))
    assert batch["batch_id"] in [b["batch_id"] for b in listed["data"]]
    for_people = rollcall("batch", "list", *at).stdout
    assert "people" in for_people
    assert batch["batch_id"] in for_people, "whole, to be copied"

    refused = rollcall("batch", "rejections", batch["batch_id"], *at).stdout
    assert "12-34" in refused
    assert "Use digits only" in refused


def test_a_number_is_suppressed_and_lifted(running: House) -> None:
    at = ("--data-dir", running.folder)
    number = "+442079460099"
    added = rollcall("suppress", "add", number, "--reason", "asked us to stop", "--json", *at)
    assert added.returncode == 0, added.stderr
    expected = {"phone_number": number, "source": "api", "reason": "asked us to stop"}
    assert read(added) == expected | {"expires_at": None, "active": True}
    removed = rollcall("suppress", "remove", number, *at)
    assert (removed.returncode, removed.stdout) == (0, f"{number} may be called again\n")
    again = rollcall("suppress", "remove", number, *at)
    assert (again.returncode, again.stdout) == (1, "")
    assert "The number is not suppressed." in again.stderr
    past = rollcall("suppress", "add", number, "--expires-at", "2020-01-01T00:00:00Z", *at)
    assert past.returncode == 1
    assert "expires_at: Name an instant to come" in past.stderr


def test_a_do_not_call_list_is_uploaded_and_sent_again(running: House, tmp_path: Path) -> None:
    file = tmp_path / "dnc-2026-11.csv"
    file.write_text("phone\n+442079460098\n12-34\n")
    at = ("--data-dir", running.folder)
    first = read(rollcall("suppress", "upload", file, "--json", *at))
    assert first["source"] == "dnc-2026-11"
    assert (first["added"], first["unchanged"], first["rejected"]) == (1, 0, 1)
    again = rollcall("suppress", "upload", file, *at)
    assert again.returncode == 0, again.stderr
    assert "0 added, 1 unchanged, 1 rejected" in again.stdout
    assert "row 2, phone_number: Use digits only" in again.stdout


def test_a_refusal_is_told_in_the_servers_words(running: House, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(csv_of(["+442079460001"]))
    said = rollcall("batch", "create", file, "--agent", "nobody", "--data-dir", running.folder)
    assert said.returncode == 1
    assert "agent" in said.stderr
    assert "Traceback" not in said.stderr
    as_json = rollcall(
        "batch", "create", file, "--agent", "nobody", "--data-dir", running.folder, "--json"
    )
    assert read(as_json)["ok"] is False
    assert read(as_json)["problem"]["status"] == 422


def test_the_doctor_finds_a_running_house_well(running: House) -> None:
    said = rollcall("doctor", "--json", "--data-dir", running.folder)
    findings = read(said)["findings"]
    assert said.returncode == 0, findings
    assert {"ingest", "scheduler", "projections", "dialer-1", "simulator", "Apache Kafka"} <= {
        finding["what"] for finding in findings
    }


def test_the_doctor_says_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    said = rollcall("doctor", "--data-dir", tmp_path, ROLLCALL_CACHE=str(tmp_path))
    assert said.returncode == 1
    assert "Run `make setup`." in said.stdout
    assert f"rollcall up --data-dir {tmp_path}" in said.stdout


def test_what_was_never_written_is_rebuilt_equal(running: House) -> None:
    said = rollcall("rebuild", "--json", "--data-dir", running.folder)
    report = read(said)
    assert said.returncode == 0, report
    assert {service: found["equal"] for service, found in report["services"].items()} == {
        "projections": True,
        "scheduler": True,
    }
    assert all(found["records"] > 0 for found in report["services"].values())


@pytest.mark.parametrize(
    "words",
    [
        ["batch", "fly"],
        ["batch", "show"],
        ["rebuild", "ingest"],
        ["batch", "create", "no.csv"],
        ["suppress", "add"],
        ["suppress", "upload", "no.csv"],
    ],
)
def test_misuse_is_exit_code_2(words: list[str]) -> None:
    assert rollcall(*words).returncode == 2


def test_nothing_running_is_said_with_what_to_start(tmp_path: Path) -> None:
    said = rollcall("batch", "list", "--data-dir", tmp_path)
    assert said.returncode == 1
    assert f"start it with `rollcall up --data-dir {tmp_path}`" in said.stderr.replace("\n", " ")


@pytest.mark.timeout(150)
def test_the_demo_runs_its_sample_to_the_end_and_rings_nobody_twice(tmp_path: Path) -> None:
    said = rollcall("demo", "--json", "--data-dir", tmp_path / "demo")
    assert said.returncode == 0, said.stderr
    found = read(said)
    assert found["batch"]["status"] == "COMPLETED"
    assert found["batch"]["recipients"]["rejected"] == 3
    assert found["ledger"]["requests"] == found["batch"]["recipients"]["total"] == 126
    assert found["ledger"]["twice"] == 0
    assert 1 < found["ledger"]["most_at_once"] <= 20
