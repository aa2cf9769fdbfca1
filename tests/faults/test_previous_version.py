"""The commit before this one and this one side by side, service by service, up and down again."""

from pathlib import Path

import pytest

from tests.faults.storm import Requests
from tests.faults.verdict import Run
from tests.faults.versions import history
from tests.faults.versions.mixed import SERVICES, TODAY, Mixed, Version, mixed
from tests.house import Json, csv_of, numbers, until
from tests.promises import keeps_its_promises

PEOPLE, LIMIT = 150, 8
ENDINGS = ("0001", "0002", "0003", "0004", "0006")
UNHURRIED: Json = {"ring_seconds": [0.1, 0.5], "talk_seconds": [0.5, 2.0]}
REFUSALS = (
    "of a newer version: start that one, not this",
    "was changed after it had been applied",
)


def all_replaced(versions: Mixed, version: Version) -> None:
    """One after the other, while a batch is called; who refuses stays as it was."""
    house = versions.house
    called, since, requests = numbers(PEOPLE, ENDINGS), house.seq(), Requests(house)
    run = Run(house, house.create(csv_of(called)), called, since, LIMIT)
    for turn, part in enumerate(SERVICES):
        until(lambda: requests.reached(8 * turn + 8), "requests", 90)  # noqa: B023 - used now
        was, log = versions.runs[part], house.folder / "logs" / f"{part}.log"
        told = log.stat().st_size
        versions.replace(part, version, ready=False)
        if not ready_or_refused(versions, part, log, told):
            print(f"{part} refuses to run as {version}, in words: the tables are of another")
            versions.replace(part, was)
    run.judge(180)


def ready_or_refused(versions: Mixed, part: str, log: Path, told: int) -> bool:
    """`told`: bytes of the log from before it was started."""

    def refused() -> bool:
        said = log.read_bytes()[told:].decode(errors="replace")
        return any(refusal in said for refusal in REFUSALS)

    until(lambda: versions.wrong(part) == "" or refused(), f"{part} ready, or refused", 90)
    return not refused()


def up_and_down(folder: Path, commit: str) -> None:
    print(f"beside {commit}")
    older = Version(history.checked_out(commit, folder / "older"))
    with mixed(folder / "data", first=older) as versions:
        versions.house.prepare(concurrency=LIMIT)
        versions.house.behave(seed=9, **UNHURRIED)
        all_replaced(versions, TODAY)
        all_replaced(versions, older)
        keeps_its_promises(versions.house)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_the_previous_commit_and_this_one_work_side_by_side(tmp_path: Path) -> None:
    if not history.has_history():
        print("NOT TRIED: there is no history to take the previous commit from")
        return
    up_and_down(tmp_path, history.previous())


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_code_from_before_tables_or_events_changed_works_beside_this_one(tmp_path: Path) -> None:
    if not history.has_history():
        print("NOT TRIED: there is no history to take an older commit from")
        return
    up_and_down(tmp_path, history.before_the_shapes_changed())
