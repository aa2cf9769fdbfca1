"""Under every kind of fault a batch ends as it should, and the fire leaves everything whole."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.faults.conftest import IMPATIENT
from tests.faults.trial.fire import Fire
from tests.faults.trial.grounds import Grounds, grounds
from tests.faults.trial.schedule import Kind, schedule, strikes
from tests.faults.verdict import every_slot_can_be_used, everyone_is_accounted_for
from tests.house import csv_of, numbers
from tests.promises import keeps_its_promises

LIMIT, ROWS = 30, 150
ENDINGS = ("0001", "0002", "0003", "0004", "0005", "0006")
MOST = 8


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    folder = tmp_path_factory.mktemp("fire") / "data"
    told = IMPATIENT | {"ROLLCALL_CARRIER_CALLS_PER_SECOND": "30"}
    with grounds(folder, **told) as laid:  # type: ignore[arg-type] # no kinds among them
        yield laid
        keeps_its_promises(laid.house)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", list(Kind))
def test_a_batch_comes_through_every_kind_of_fault(field: Grounds, kind: Kind) -> None:
    seed = int(os.environ.get("ROLLCALL_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed {seed}")
    if kind in field.missing:
        print(f"not done here: {field.missing[kind]}")
        return
    house, called = field.house, numbers(ROWS, ENDINGS)
    house.prepare(concurrency=LIMIT)
    house.behave(seed=seed, ring_seconds=[0.1, 0.5], talk_seconds=[0.3, 1.5])
    faults = min(MOST, max(3, len(strikes(kind, field.parts))))
    planned = schedule(seed, field.parts, faults=faults, requests=ROWS * 3 // 4, kinds=[kind])
    since, batch_id = house.seq(), house.create(csv_of(called))
    with Fire(field, planned) as fire:
        fire.until_spent(300)
    print(*fire.struck, sep="\n")
    assert len(fire.struck) == faults
    batch = house.until_over(batch_id, 240)
    people = house.all_of(f"/v1/batches/{batch_id}/recipients")
    everyone_is_accounted_for(batch, people, called)
    ledger = house.ledger(after=since).to(called)
    assert set(ledger.requests_by_call().values()) == {1}, ledger.story()
    rung = [entry["to"] for entry in ledger.accepted()]
    assert len(rung) == len(set(rung)), "somebody was rung twice"
    assert ledger.most_at_once() <= LIMIT
    every_slot_can_be_used(house, LIMIT)
