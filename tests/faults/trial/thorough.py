"""What takes its time to check: the log's own audit, the models made anew, every slot in use."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tests.faults.trial.checks import Breach
from tests.faults.trial.load import Desk
from tests.house import ROOT, House, until

SLOTS = "SELECT count(*) FROM recipients WHERE stage IN (1, 2, 3)"
KEY = "SELECT count(wrapped) FROM keys WHERE scope = 'batch:{batch_id}'"
WITHIN = 1200
Json = dict[str, Any]


def command(house: House, *arguments: str) -> Json:
    """`rollcall ... --json` on the house, as its people would ask."""
    said = subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--json", "--data-dir", house.folder],
        cwd=ROOT, capture_output=True, text=True, timeout=WITHIN, check=False,
    )  # fmt: skip
    assert said.stdout, said.stderr
    found: Json = json.loads(said.stdout)
    return found


def the_log_keeps_every_promise(house: House) -> Iterator[Breach]:
    for found in command(house, "audit")["breaches"][:10]:
        yield Breach(the_log_keeps_every_promise.__name__, json.dumps(found))


def the_models_are_the_log(house: House) -> Iterator[Breach]:
    for name, report in command(house, "rebuild")["services"].items():
        if not report["equal"]:
            yield Breach(the_models_are_the_log.__name__, f"{name}: {json.dumps(report)}")


def no_slot_is_held(house: House) -> Iterator[Breach]:
    try:
        until(lambda: house.moment("scheduler", SLOTS) == 0, "no slot taken", 60)
    except AssertionError as held:
        yield Breach(no_slot_is_held.__name__, str(held))


def no_deleted_batch_has_a_key(house: House, desks: Sequence[Desk]) -> Iterator[Breach]:
    """Once its delete was answered with 204."""
    gone = [batch.batch_id for desk in desks for batch in desk.batches if batch.deleted]
    for batch_id in gone:
        if house.moment("vault", KEY.format(batch_id=batch_id)):
            yield Breach(no_deleted_batch_has_a_key.__name__, "its key is there", batch_id)


def every_slot_can_be_used(house: House, desks: Sequence[Desk]) -> Iterator[Breach]:
    """A further batch has all the slots of its account at once, and no more."""
    house.behave(seed=2, outcomes={"answered": 1}, ring_seconds=1, talk_seconds=4)
    since = house.seq()
    batches = [desk.all_at_once() for desk in desks]
    for desk, batch in zip(desks, batches, strict=True):
        late = desk.unsettled(120)
        most = house.ledger(since).of_caller(batch.caller).most_at_once()
        if late or most != desk.limits.now:
            what = f"{most} of {desk.limits.now} slots of {desk.account} in use"
            yield Breach(every_slot_can_be_used.__name__, what, batch.batch_id)
