"""A list is mended and previewed by command; then those on it are called, and nobody else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house import AGENT, QUICK, ROOT, House

FIRST, SECOND, THIRD, FOURTH = (f"+4420794{n}0001" for n in range(1, 5))
ANY_HOUR = ("--window", "00:00-24:00", "--zone", "UTC")


@pytest.fixture(scope="module")
def running(standing: House) -> House:
    standing.prepare(concurrency=10)
    standing.behave(seed=1, **QUICK)
    return standing


def rollcall(running: House, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *words, "--data-dir", running.folder],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def told(running: House, *words: str | Path) -> dict[str, Any]:
    said = rollcall(running, *words, "--json")
    assert said.returncode == 0, said.stdout + said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_a_list_is_mended_previewed_and_called_to_its_end(running: House, tmp_path: Path) -> None:
    file, fix = tmp_path / "spring.csv", tmp_path / "fix.csv"
    file.write_text(
        f'Mobile;name;plan\n{FIRST};Ann;A\n020 7946;Bob;"B;2"\n12-34;Cid;C\n{FIRST};Ann;A\n'
        f"{FOURTH};Dee;D;more\n"
    )
    since = running.seq()
    mapped = ("--mapping", "Mobile=phone_number")
    first = told(running, "list", "upload", file, *mapped, "--fix", fix)
    assert [first[it] for it in ("accepted", "rejected", "duplicates")] == [2, 3, 1]
    list_id = first["list_id"]

    text = fix.read_text(encoding="utf-8-sig")
    assert 'phone_number","name","plan","rollcall_problem"' in text
    fix.write_text(text.replace("020 7946", SECOND, 1), encoding="utf-8-sig")
    said = rollcall(running, "list", "upload", fix, "--into", list_id)
    assert said.returncode == 0, said.stderr
    assert "3 accepted, 5 rejected, 1 with the number of an earlier row" in said.stdout

    wrong = told(running, "list", "rows", list_id, "--state", "rejected")["data"]
    codes = {it["row"]: it["errors"][0]["code"] for it in wrong}
    assert list(codes.values()) == [
        "phone_not_digits", "phone_not_digits", "too_many_cells", "phone_not_digits",
        "too_many_cells",
    ]  # fmt: skip
    bob = told(running, "list", "rows", list_id, "--search", SECOND)["data"]
    assert [(it["name"], it["variables"]) for it in bob] == [("Bob", {"plan": "B;2"})]

    cid = str(next(it["row"] for it in wrong if it["name"] == "Cid"))
    again = rollcall(running, "list", "mend", list_id, cid, "--phone-number", "12")
    assert (again.returncode, "at least 7 digits" in again.stderr) == (1, True)
    tried = told(running, "list", "mend", list_id, cid, "--phone-number", THIRD, "--dry-run")
    assert tried["state"] == "accepted"
    assert told(running, "list", "show", list_id)["accepted"] == 3
    mended = rollcall(
        running, "list", "mend", list_id, cid, "--phone-number", THIRD, "--set", "plan=Z"
    )
    assert f"row {cid} is accepted: {THIRD}\n4 accepted, 4 rejected" in mended.stdout
    assert told(running, "list", "remove", list_id, "4")["row"] == 4

    asked = ("--list", list_id, "--agent", AGENT, *ANY_HOUR)
    preview = told(running, "batch", "preview", *asked)
    assert preview["will_call"] == 3
    assert sum(it["count"] for it in preview["skipped"]) == 4
    words = rollcall(running, "batch", "preview", *asked).stdout
    assert "will call              3" in words
    assert "too_many_cells" in words
    assert not running.ledger(since).entries, "nobody has been called"

    batch = told(running, "batch", "create", *asked, "--name", "Spring", "--watch")
    assert (batch["status"], batch["name"]) == ("COMPLETED", "Spring")
    rung = [it["to"] for it in running.ledger(since).entries if it["kind"] == "ring"]
    assert sorted(rung) == [FIRST, SECOND, THIRD]

    assert rollcall(running, "list", "remove", list_id).returncode == 2
    assert told(running, "list", "remove", list_id, "--rejected")["deleted"]
    assert told(running, "list", "show", list_id)["rejected"] == 0


def test_a_preview_of_a_file_is_of_the_batch_that_would_be_created(
    running: House, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"Mobile,name\n{FIRST},Ann\n112,Bob\n")
    since = running.seq()
    asked = (file, "--agent", AGENT, "--mapping", "Mobile=phone_number")
    preview = told(running, "batch", "preview", *asked)
    assert (preview["will_call"], preview["skipped"]) == (
        1,
        [{"reason": "destination_blocked", "count": 1}],
    )
    batch = told(running, "batch", "create", *asked, "--watch")
    assert (batch["recipients"]["total"], batch["recipients"]["rejected"]) == (1, 1)
    rung = [it["to"] for it in running.ledger(since).entries if it["kind"] == "ring"]
    assert rung == [FIRST]


def test_a_list_of_json_is_looked_at_and_deleted(running: House, tmp_path: Path) -> None:
    file, fix = tmp_path / "people.json", tmp_path / "fix.csv"
    people = [
        {"phone": FIRST, "dynamic_vars": {"plan": "A"}},
        {"phone": "12-34", "name": "Bob", "timezone": "Mars", "variables": {"phone": "x"}},
    ]
    file.write_text(json.dumps({"recipients": people}))
    said = rollcall(running, "list", "upload", file, "--fix", fix)
    assert said.returncode == 0, said.stderr
    list_id = said.stdout.split()[0]
    assert f"rollcall list upload {fix} --into {list_id} --mapping timezone=setting:timezone" in (
        said.stdout
    )
    assert "timezone_unknown" in said.stdout
    text = fix.read_text(encoding="utf-8")
    fix.write_text(text.replace("12-34", SECOND).replace("Mars", "Europe/London"))
    words = ("--into", list_id, "--mapping", "timezone=setting:timezone")
    assert told(running, "list", "upload", fix, *words)["accepted"] == 2
    (bob,) = told(running, "list", "rows", list_id, "--search", "bob", "--state", "accepted")[
        "data"
    ]
    assert (bob["timezone"], bob["variables"]) == ("Europe/London", {"phone": "x"})

    assert rollcall(running, "list", "delete", list_id).stdout == f"{list_id} is deleted\n"
    gone = rollcall(running, "list", "show", list_id)
    assert (gone.returncode, "There is no such list." in gone.stderr) == (1, True)
