"""Without its log nothing begins anew unseen: what is lost is said, and the newest copy goes on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import IMPATIENT
from tests.faults.verdict import Run, every_slot_can_be_used
from tests.house import ROOT, House, csv_of, house, numbers

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
LIMIT, ENDINGS = 10, ("0001", "0002")


def called(house: House, first: int) -> Run:
    people = numbers(first + 20, ENDINGS)[first:]
    house.prepare(concurrency=LIMIT)
    since = house.seq()
    run = Run(house, house.create(csv_of(people)), people, since, LIMIT)
    run.judge(120)
    return run


def told(*command: str, folder: Path) -> str:
    """What a command says that fails."""
    arguments = [sys.executable, "-m", "cli", *command, "--data-dir", str(folder)]
    done = subprocess.run(
        arguments, check=False, cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def test_the_log_lost_or_of_yesterday_is_refused_in_words_and_its_newest_copy_goes_on(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    kafka, yesterday, newest = folder / "kafka", tmp_path / "yesterday", tmp_path / "newest"
    with house(folder, dialers=1, **IMPATIENT) as first:
        called(first, 0)
    shutil.copytree(kafka, yesterday)
    with house(folder, dialers=1, **IMPATIENT) as second:
        called(second, 100)
        rung = second.seq()
    kafka.rename(newest)

    assert "is lost, and with it every event" in told("up", folder=folder)
    doctor = told("doctor", folder=folder)
    assert "Put back its newest copy" in doctor
    assert "Bring back what is lost, and start it" in doctor
    assert not kafka.exists(), "no other log is begun in its place"

    shutil.copytree(yesterday, kafka)
    refused = told("up", folder=folder)
    assert "this is not the log that was read" in refused
    assert "records that were read are missing" in refused

    shutil.rmtree(kafka)
    newest.rename(kafka)
    with house(folder, dialers=1, **IMPATIENT) as again:
        assert again.seq() == rung, "nobody was rung meanwhile"
        called(again, 200)
        every_slot_can_be_used(again, LIMIT)


def test_the_key_lost_is_said_and_none_is_made_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with house(folder, dialers=1, **IMPATIENT) as first:
        called(first, 0)
    key = (folder / "key").read_text()
    (folder / "key").unlink()
    assert "nothing opens without it" in told("up", folder=folder)
    assert "Put back a copy of it" in told("doctor", folder=folder)
    (folder / "key").write_text(key)
    with house(folder, dialers=1, **IMPATIENT) as again:
        called(again, 100)
