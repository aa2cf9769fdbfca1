"""A dialer frozen past every deadline and thawed: what others have settled does not ring again."""

from contextlib import ExitStack

import pytest

from tests.faults.storm import EVERY, Requests
from tests.faults.verdict import Run, every_slot_can_be_used
from tests.house import House, csv_of, numbers, until

LIMIT = 60
INTENTS = "SELECT count(*) FROM calls WHERE state = 'INTENT'"


def begun(running: House, ending: str) -> Run:
    running.prepare(concurrency=LIMIT)
    running.behave(seed=4, outcomes={"answered": 1}, ring_seconds=0.2, talk_seconds=0.8)
    called, since = numbers(150, (ending,)), running.seq()
    return Run(running, running.create(csv_of(called)), called, since, LIMIT)


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_a_dialer_frozen_in_mid_batch_rings_nobody_when_it_thaws(running: House) -> None:
    requests = Requests(running)
    run = begun(running, "3001")
    until(lambda: requests.reached(40), "40 requests", 60, EVERY)
    with running.frozen("dialer-1"):
        run.judge(120)
    every_slot_can_be_used(running, LIMIT)  # and so the thawed one has had its chance
    run.judge(1)


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_a_dialer_frozen_while_it_announces_rings_nobody_when_it_thaws(running: House) -> None:
    requests = Requests(running)
    run = begun(running, "3002")
    until(lambda: requests.reached(20), "20 requests", 60, EVERY)
    with ExitStack() as until_judged:
        with running.frozen("kafka"):
            until(lambda: running.moment("dialer", INTENTS) > 10, "intents in hand", 30, EVERY)
            until_judged.enter_context(running.frozen("dialer-1"))
        run.judge(120)
    every_slot_can_be_used(running, LIMIT)
    run.judge(1)
