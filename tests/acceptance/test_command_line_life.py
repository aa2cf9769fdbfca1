"""A batch is steered by command: what is said to be done is done, by the ledger of the carrier."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.house import ROOT, House, csv_of, until

LONG = {"ring_seconds": 0.02, "talk_seconds": 300}
"""Nobody hangs up before they are told to."""
ANN, BOB, CID, DEE, EVE, FAY, GUS, HAL = (f"+4420795{n}0001" for n in range(1, 9))
NEVER_THERE = "+442079590003"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def running(standing: House) -> House:
    standing.prepare(concurrency=10)
    standing.behave(seed=1, **LONG)
    return standing


@pytest.fixture(autouse=True)
def no_call_is_left(running: House) -> Iterator[None]:
    since = running.seq()
    yield
    hang_up(running, since)


def hang_up(running: House, since: int) -> None:
    simulator = running.endpoints["simulator"]
    for it in running.ledger(since).of("ring"):
        httpx2.post(f"{simulator}/calls/{it['carrier_call_id']}/hangup")


def rollcall(running: House, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "batch", *words, "--data-dir", running.folder],
        cwd=ROOT,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def said(running: House, *words: str | Path) -> str:
    answer = rollcall(running, *words)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def told(running: House, *words: str | Path) -> Json:
    found: Json = json.loads(said(running, *words, "--json"))
    return found


def refused(running: House, *words: str) -> str:
    answer = rollcall(running, *words)
    assert (answer.returncode, answer.stdout) == (1, "")
    return answer.stderr


def until_live(running: House, batch_id: str, count: int) -> None:
    def live() -> bool:
        counts = running.read(f"/v1/batches/{batch_id}")["recipients"]
        return bool(counts["in_progress"] == count)

    until(live, f"{count} calls live", 20)


def test_a_batch_is_started_paused_resumed_and_cancelled(running: House) -> None:
    since = running.seq()
    batch_id = running.create(csv_of([ANN, BOB]), start=False)
    why, instead = refused(running, "pause", batch_id).splitlines()
    assert why == "The batch is PENDING and does not allow this."
    allowed = (f"`rollcall batch {it}`" for it in ("start", "cancel", "rename", "delete"))
    assert instead == f"The batch allows {', '.join(allowed)}."
    assert "Started: people are called" in said(running, "start", batch_id)
    until_live(running, batch_id, 2)

    paused = said(running, "pause", batch_id)
    assert paused == "Paused: no further call is begun; 2 calls that are live finish.\n"
    resumed = told(running, "resume", batch_id)
    assert (resumed["status"], resumed["confirmed"]) == ("RUNNING", True)
    cancelled = said(running, "cancel", batch_id)
    assert cancelled == "Cancelled: no further call is begun; 2 calls that are live finish.\n"

    hang_up(running, since)
    assert running.until_over(batch_id, 20)["status"] == "CANCELLED"
    assert running.ledger(since).rings_by_number() == {ANN: 1, BOB: 1}


def test_who_did_not_answer_is_called_again(running: House) -> None:
    since = running.seq()
    batch_id = running.create(csv_of([NEVER_THERE]))
    assert running.until_over(batch_id, 20)["recipients"]["no_answer"] == 1
    again = said(running, "retry", batch_id, "--include-unknown")
    assert again.startswith("Started again: who failed or did not answer is called again")

    def rung_again() -> bool:
        return running.ledger(since).rings_by_number() == {NEVER_THERE: 2}

    until(rung_again, "the number rung again", 20)


def test_people_are_added_and_removed_before_they_are_called(
    running: House, tmp_path: Path
) -> None:
    since = running.seq()
    batch_id = running.create(csv_of([CID, DEE]), start=False)
    file = tmp_path / "more.csv"
    file.write_text(f"Mobile,name\n{EVE},Eve\n12-34,Nobody\n")
    added = said(running, "add", batch_id, file, "--mapping", "Mobile=phone_number")
    assert added.splitlines()[:2] == [
        "1 accepted, 1 rejected",
        f"why: `rollcall batch rejections {batch_id}`",
    ]
    prepared = running.command(
        "POST", "/v1/recipient-lists", {"recipients": [{"phone_number": FAY}]}
    )
    listed = told(running, "add", batch_id, "--list", prepared["list_id"])
    assert (listed["accepted"], listed["confirmed"]) == (1, True)

    path = f"/v1/batches/{batch_id}/recipients"
    until(lambda: len(running.all_of(path)) == 4, "four people", 20)
    (dee,) = (it for it in running.all_of(path) if it["phone_number"] == DEE)
    removed = said(running, "remove", batch_id, dee["recipient_id"])
    assert removed == f"{dee['recipient_id']} is removed and is not called\n"

    said(running, "start", batch_id)
    until_live(running, batch_id, 3)
    assert running.ledger(since).rings_by_number() == {CID: 1, EVE: 1, FAY: 1}
    (cid,) = (it for it in running.all_of(path) if it["phone_number"] == CID)
    assert "The recipient was called" in refused(running, "remove", batch_id, cid["recipient_id"])


def test_a_deleted_batch_is_over_once_its_last_call_is(running: House) -> None:
    since = running.seq()
    batch_id = running.create(csv_of([GUS]))
    until_live(running, batch_id, 1)
    unasked = rollcall(running, "delete", batch_id)
    assert (unasked.returncode, "add --yes" in unasked.stderr) == (2, True)

    first = told(running, "delete", batch_id, "--yes")
    assert first == {"batch_id": batch_id, "deleted": True, "confirmed": False}
    hang_up(running, since)

    def over() -> bool:
        return "no call of it is live" in said(running, "delete", batch_id, "--yes")

    until(over, "the deletion over", 20)
    assert "There is no such batch." in refused(running, "start", batch_id)


def test_a_batch_is_called_by_another_name(running: House) -> None:
    batch_id = running.create(csv_of([HAL]), start=False)
    assert said(running, "rename", batch_id, "Spring") == f"{batch_id} is called Spring\n"

    def renamed() -> bool:
        return bool(running.read(f"/v1/batches/{batch_id}")["name"] == "Spring")

    until(renamed, "the new name", 20)
    too_long = refused(running, "rename", batch_id, "x" * 101)
    assert "name: Give a name of 1 to 100 characters." in too_long
