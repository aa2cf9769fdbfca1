"""Whatever strikes, whenever, whatever people ask for: every promise is kept, by the ledger.

`python -m tests.faults.trial` is the long form; a run that failed prints how to repeat it.
"""

import os
import random
from pathlib import Path

import pytest

from tests.faults.trial.convict import MUTANTS, Mutant, tried
from tests.faults.trial.grounds import grounds
from tests.faults.trial.long import stands
from tests.faults.trial.rounds import IMPATIENT, Size, Trial
from tests.faults.trial.schedule import Kind
from tests.faults.trial.story import tell

SHORT = Size(
    placements=120,
    faults=6,
    accounts=2,
    limit=30,
    batch=40,
    kinds=(Kind.KILL, Kind.FREEZE, Kind.CUT, Kind.SILENT, Kind.CLOCK, Kind.CARRIER),
)


@pytest.mark.timeout(300)
def test_every_promise_is_kept_under_fire(tmp_path: Path) -> None:
    kinds = tuple(SHORT.kinds or ())
    with (
        grounds(tmp_path / "data", dialers=2, mutants=None, kinds=kinds, **IMPATIENT) as ground,
        Trial(ground, 1, SHORT) as trial,
    ):
        breaches = trial.round() or trial.thorough()
        print(trial.tally.story())
        assert not breaches, tell(trial, breaches)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_every_promise_is_kept_in_a_long_run() -> None:
    seed = int(os.environ.get("ROLLCALL_SEED") or random.SystemRandom().randrange(10**6))
    assert stands(seed, placements=4000, faults=40)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_every_mutant_is_convicted(mutant: Mutant) -> None:
    assert tried(mutant, most=5), f"{mutant.by.__name__} said nothing"
