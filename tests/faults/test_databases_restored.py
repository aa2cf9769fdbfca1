"""Whichever database is lost, or is of yesterday: nobody is rung twice, nobody is forgotten."""

from pathlib import Path

import pytest

from tests.faults.restoring import dump, put_in_place
from tests.faults.storm import Requests
from tests.faults.test_kills import ENDINGS
from tests.faults.verdict import Run, every_slot_can_be_used
from tests.house import House, csv_of, numbers, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
LIMIT = 20
DATABASES = ("projections", "scheduler", "dialer", "ingest")


def begun(house: House, rows: int, first: int, requests: int) -> Run:
    """A batch in the middle of its calls."""
    called = numbers(first + rows, ENDINGS)[first:]
    since, counting = house.seq(), Requests(house)
    run = Run(house, house.create(csv_of(called)), called, since, LIMIT)
    until(lambda: counting.reached(requests), f"{requests} requests", 90)
    return run


def unhurried(house: House) -> None:
    house.prepare(concurrency=LIMIT)
    house.behave(seed=5, ring_seconds=[0.2, 0.8], talk_seconds=[0.5, 2])


def test_any_database_lost_in_mid_batch_is_made_up_for_by_the_log(running: House) -> None:
    unhurried(running)
    for turn, database in enumerate(DATABASES):
        print(database)
        run = begun(running, 60, 100 * turn, requests=15)
        put_in_place(running, database, None)
        run.judge(180)
    every_slot_can_be_used(running, LIMIT)


def test_any_database_of_yesterday_rings_nobody_again_and_forgets_nobody(
    running: House, tmp_path: Path
) -> None:
    """The backups are of the middle of a batch; since then it ended, and another was made."""
    unhurried(running)
    for turn, database in enumerate(DATABASES):
        print(database)
        before = begun(running, 60, 500 + 200 * turn, requests=15)
        backup = dump(running, database, tmp_path)
        before.judge(180)
        since = begun(running, 60, 600 + 200 * turn, requests=15)
        put_in_place(running, database, backup)
        since.judge(180)
        before.judge(30)
    every_slot_can_be_used(running, LIMIT)


def test_all_databases_lost_at_once_are_made_up_for_by_the_log_and_the_vault(
    running: House,
) -> None:
    unhurried(running)
    run = begun(running, 60, 1500, requests=15)
    for database in DATABASES:
        put_in_place(running, database, None)
    run.judge(240)
    every_slot_can_be_used(running, LIMIT)
