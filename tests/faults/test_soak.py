"""Whatever people ask of batches, in any order: all of them end, and nobody is called unasked."""

import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime

import pytest

from contracts.dispatch import RecipientQueued
from contracts.topics import DISPATCH
from tests.faults.verdict import every_slot_can_be_used, nothing_rings_unannounced
from tests.heard import heard
from tests.house import ROOT, House, Json, until
from tests.ledger import Ledger
from tests.soak import MOST, Known, Soak

SLOTS = "SELECT count(*) FROM recipients WHERE stage IN (1, 2, 3)"
FINAL = {"COMPLETED", "FAILED", "NO_ANSWER"}


@pytest.mark.parametrize(
    ("seed", "commands", "kills"),
    [
        pytest.param(1, 50, 0, marks=pytest.mark.timeout(150)),
        pytest.param(
            random.randrange(10**6),
            2500,
            1,
            id="long",
            marks=(pytest.mark.chaos, pytest.mark.timeout(1800)),
        ),
    ],
)
def test_whatever_people_ask_for_every_batch_ends_and_nobody_is_called_against_their_word(
    running: House, seed: int, commands: int, kills: int
) -> None:
    with closing(Soak(running, seed)) as soak:
        stays_true(soak, commands, kills)


def stays_true(soak: Soak, commands: int, kills: int) -> None:
    running = soak.life.house
    since = running.seq()
    soak.prepare()
    soak.work(commands, kills=kills)
    soak.calm()
    batches = soak.ends(120)
    for known, batch in zip(soak.alive, batches, strict=True):
        is_settled(soak, known, batch)
    for known in soak.batches:
        if known.deleted:
            until(lambda: soak.life.ask(known.batch_id, "delete").code == 204, "deleted", 60)  # noqa: B023
    until(lambda: running.moment("scheduler", SLOTS) == 0, "no slot taken", 60)
    ledger = running.ledger(since)
    judge(ledger, running.endpoints["kafka"])
    keeps_quiet(ledger, running.endpoints["kafka"], soak.batches)
    every_slot_can_be_used(running, MOST)
    assert rebuilt(running)["equal"]


def is_settled(soak: Soak, known: Known, batch: Json) -> None:
    counts, people = batch["recipients"], soak.life.rows(known.batch_id)
    assert known.fewest <= counts["total"] <= known.most, (known, counts)
    assert len(people) == counts["total"]
    assert counts["queued"] == counts["in_progress"] == 0
    statuses = Counter(person["status"] for person in people)
    assert set(statuses) <= FINAL | {"PENDING"}
    if batch["status"] == "COMPLETED":
        assert counts["pending"] == batch["remaining"] == 0, batch
        assert set(statuses) <= FINAL


def judge(ledger: Ledger, kafka: str) -> None:
    assert set(ledger.requests_by_call().values()) == {1}, ledger.story()
    assert ledger.most_at_once() <= MOST
    nothing_rings_unannounced(ledger, kafka)
    live: Counter[str] = Counter()
    for entry in ledger.entries:
        live[entry["to"]] += entry["kind"] == "request" and entry["accepted"]
        live[entry["to"]] -= entry["kind"] == "end"
        assert live[entry["to"]] <= 1, f"in two calls: {entry}"


def keeps_quiet(ledger: Ledger, kafka: str, batches: list[Known]) -> None:
    """No request between the answer that it is quiet and the next that wakes it."""
    batch_of = {
        str(event.call_id): str(event.batch_id)
        for event in heard(kafka, DISPATCH)
        if isinstance(event, RecipientQueued)
    }
    requests: dict[str, list[datetime]] = defaultdict(list)
    for entry in ledger.of("request"):
        requests[batch_of[entry["call_id"]]].append(datetime.fromisoformat(entry["at"]))
    for batch in batches:
        for start, end in batch.silent:
            loud = [at for at in requests[batch.batch_id] if at > start and (not end or at < end)]
            assert not loud, f"{batch.batch_id} was told quiet from {start} to {end}"


def rebuilt(house: House) -> Json:
    said = subprocess.run(
        [sys.executable, "-m", "cli", "rebuild", "scheduler", "--json", "--data-dir", house.folder],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    print(said.stdout)
    found: Json = json.loads(said.stdout)["services"]["scheduler"]
    return found
