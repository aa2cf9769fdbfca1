"""From the command line, people find out how each call went, and keep it in a file."""

import csv
import json
from pathlib import Path

import pytest

from tests.acceptance.test_command_line import ANY_HOUR, read, rollcall
from tests.house import AGENT, QUICK, House, csv_of

ENDINGS = ("0001", "0003", "0006")


@pytest.fixture(scope="module")
def ended(standing: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Path]:
    """The batch's id and where it ran; one row of four is rejected."""
    standing.prepare(concurrency=10)
    standing.behave(seed=1, **QUICK)
    file = tmp_path_factory.mktemp("lists") / "people.csv"
    file.write_bytes(csv_of([*(f"+44207946{ending}" for ending in ENDINGS), "12-34"]))
    said = rollcall("batch", "create", file, "--agent", AGENT, *ANY_HOUR, "--watch", "--json",
                    "--data-dir", standing.folder)  # fmt: skip
    return read(said)["batch_id"], "--data-dir", standing.folder


def test_results_are_printed_or_kept_whole_in_a_file(
    ended: tuple[str, str, Path], tmp_path: Path
) -> None:
    printed = rollcall("batch", "results", *ended)
    assert printed.returncode == 0, printed.stderr
    file = tmp_path / "out.csv"
    kept = rollcall("batch", "results", *ended, "--output", file, "--bom", "--json")
    assert read(kept) == {"file": str(file), "rows": 3}
    assert file.read_text("utf-8-sig").splitlines() == printed.stdout.splitlines()
    with file.open(encoding="utf-8-sig", newline="") as text:
        assert [row["outcome"] for row in csv.DictReader(text)] == [
            "completed", "no_answer", "invalid",
        ]  # fmt: skip
    again = rollcall("batch", "results", *ended, "-o", file)
    assert (again.returncode, "--force" in again.stderr) == (2, True)
    lines = rollcall("batch", "results", *ended, "--json", "--status", "COMPLETED")
    assert [json.loads(line)["variables"]["plan"] for line in lines.stdout.splitlines()] == [
        "Plan 1"
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_cut_file_is_gone_on_with(
    ended: tuple[str, str, Path], tmp_path: Path, form: str
) -> None:
    file = tmp_path / "out"
    asked = ("batch", "results", *ended, "--format", form, "-o", file)
    assert rollcall(*asked).returncode == 0
    whole = file.read_bytes()
    (tmp_path / "out.part").write_bytes(whole[:-20])
    wish = {"batch": ended[0], "format": form, "status": None, "outcome": None, "bom": None}
    (tmp_path / "out.part.json").write_text(json.dumps(wish))
    file.unlink()
    assert read(rollcall(*asked, "--resume", "--json"))["rows"] == len(ENDINGS)
    assert file.read_bytes() == whole
    assert [kept.name for kept in tmp_path.iterdir()] == ["out"]
    (tmp_path / "out.part.json").write_text(json.dumps(wish))
    other = whole.replace(b"plan", b"tariff")
    (tmp_path / "out.part").write_bytes(other[:-20])
    refused = rollcall(*asked, "--resume", "--force")
    assert refused.returncode == (1 if form == "csv" else 0)


def test_people_their_calls_and_reasons_are_told(ended: tuple[str, str, Path]) -> None:
    batch_id, at = ended[0], ended[1:]
    listed = read(rollcall("batch", "recipients", batch_id, *at, "--sort", "-row", "--json"))
    assert [each["row"] for each in listed["data"]] == [3, 2, 1]
    assert "no_answer" in rollcall("batch", "recipients", batch_id, *at).stdout
    called = read(rollcall("batch", "calls", batch_id, *at, "--json"))
    assert {each["outcome"] for each in called["data"]} == {"completed", "no_answer", "invalid"}
    assert "12-34" in rollcall("batch", "errors", batch_id, *at).stdout
    last = listed["data"][0]
    for who in (last["recipient_id"], last["phone_number"], "3"):
        (why,) = read(rollcall("batch", "why", batch_id, who, *at, "--json"))["data"]
        assert why["recipient_id"] == last["recipient_id"]
        assert [reason["code"] for reason in why["reasons"]] == ["called"]
    nobody = rollcall("batch", "why", batch_id, "+442079469999", *at)
    assert (nobody.returncode, "Nobody" in nobody.stderr) == (1, True)
    assert rollcall("batch", "recipients", batch_id, *at, "--status", "x").returncode == 2
