"""Versions side by side on one log: what one does not know waits for its upgrade, nobody is lost.

The next version is derived from this code: a field more, an event that may be passed over, and one
that may not.
"""

from collections.abc import Iterator

import pytest

from tests.faults.storm import Requests
from tests.faults.verdict import Run
from tests.faults.versions.mixed import NEXT, SERVICES, TODAY, Mixed, mixed
from tests.house import Json, csv_of, numbers, until
from tests.promises import keeps_its_promises

PEOPLE, LIMIT = 40, 8
ENDINGS = ("0001", "0002", "0003", "0004", "0006")
UNHURRIED: Json = {"ring_seconds": [0.1, 0.5], "talk_seconds": [0.3, 1.0]}
NEWER = "CallRated v1 is newer than this reader"


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mixed]:
    """A house of today's version, whose log is judged by the next one, which knows all of it."""
    with mixed(tmp_path_factory.mktemp("versions") / "data") as opened:
        opened.house.prepare(concurrency=LIMIT)
        opened.house.behave(seed=7, **UNHURRIED)
        yield opened
        keeps_its_promises(opened.house, audit=NEXT.runs("cli")[1:])


def batch_of(versions: Mixed) -> tuple[Run, Requests]:
    called, requests = numbers(PEOPLE, ENDINGS), Requests(versions.house)
    since = versions.house.seq()
    return Run(
        versions.house, versions.house.create(csv_of(called)), called, since, LIMIT
    ), requests


def in_mid_batch(requests: Requests, made: int) -> None:
    until(lambda: requests.reached(made), f"{made} requests", 60)


@pytest.mark.timeout(180)
def test_readers_are_upgraded_before_writers_in_mid_batch(versions: Mixed) -> None:
    run, requests = batch_of(versions)
    for made, part in enumerate(SERVICES):
        in_mid_batch(requests, 4 * made + 4)
        versions.replace(part, NEXT)
    run.judge(90)


@pytest.mark.chaos
@pytest.mark.timeout(180)
def test_readers_that_are_older_wait_for_their_upgrade_and_go_on(versions: Mixed) -> None:
    behind = ("scheduler", "projections")
    for part in SERVICES:
        wanted = TODAY if part in behind else NEXT
        if versions.runs[part] != wanted:
            versions.replace(part, wanted)
    run, _ = batch_of(versions)
    for part in behind:
        until(lambda: NEWER in versions.wrong(part), f"{part} waits", 60)  # noqa: B023 - used now
    for part in behind:
        versions.replace(part, NEXT)
    run.judge(90)
