"""Everything at once is killed in mid-batch: everyone is called once, or told of.

What strikes part by part, and together with other faults, is `test_trial.py`.
"""

from pathlib import Path

import pytest

from tests.faults.conftest import IMPATIENT
from tests.faults.storm import Requests
from tests.faults.verdict import Run, every_slot_can_be_used
from tests.house import Json, csv_of, house, numbers, until

ENDINGS = ("0001", "0002", "0003", "0004", "0005", "0006")
UNHURRIED: Json = {"ring_seconds": [0.1, 0.5], "talk_seconds": [0.3, 1.5]}


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_everything_killed_in_mid_batch_carries_on_at_the_next_start(tmp_path: Path) -> None:
    called, limit = numbers(200, ENDINGS), 20
    with house(tmp_path / "data", dialers=2, **IMPATIENT) as first:
        first.prepare(concurrency=limit)
        first.behave(seed=3, **UNHURRIED)
        requests = Requests(first)
        batch_id = first.create(csv_of(called))
        until(lambda: requests.reached(80), "80 requests", 60)
        first.die()
    with house(tmp_path / "data", dialers=2, **IMPATIENT) as again:
        Run(again, batch_id, called, 0, limit).judge(120)
        every_slot_can_be_used(again, limit)
