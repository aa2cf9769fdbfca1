"""`python -m tests.faults.trial`: as long as asked, or until a promise is broken; then the story.

--placements and --faults are for the whole run; a seed gives the same schedule and the same words.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import cyclopts

from tests.faults.trial.grounds import grounds
from tests.faults.trial.rounds import IMPATIENT, Size, Trial
from tests.faults.trial.schedule import LONG, Kind
from tests.faults.trial.story import tell

A_ROUND = 1500
THOROUGH = 12
"""Rounds between two looks at all that takes its time; there is one at the end in any case."""
app = cyclopts.App(help=__doc__)


@app.default
def run(
    *, seed: int | None = None, placements: int = 3000, faults: int = 20, runs: int = 1
) -> None:
    """Each run after the first has the next seed, and a house of its own."""
    first = random.SystemRandom().randrange(10**6) if seed is None else seed
    for each in range(first, first + runs):
        print(f"seed {each}: --seed {each} --placements {placements} --faults {faults}", flush=True)
        if not stands(each, placements, faults):
            sys.exit(1)


def stands(seed: int, placements: int, faults: int) -> bool:
    rounds = max(1, round(placements / A_ROUND))
    size = Size(placements=placements // rounds, faults=-(-faults // rounds), lasting=dict(LONG))
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        home = Path(folder) / "data"
        with (
            grounds(home, dialers=2, mutants=None, kinds=tuple(Kind), **IMPATIENT) as ground,
            Trial(ground, seed, size) as trial,
        ):
            return goes_well(trial, rounds)


def goes_well(trial: Trial, rounds: int) -> bool:
    began = time.monotonic()
    for n in range(1, rounds + 1):
        breaches = trial.round()
        print("\n".join(f"  {one}" for one in trial.struck))
        if not breaches and (n % THOROUGH == 0 or n == rounds):
            breaches = trial.thorough()
        minutes = (time.monotonic() - began) / 60
        print(f"round {n} of {rounds}, {minutes:.1f} min\n{trial.tally.story()}", flush=True)
        if breaches:
            print(tell(trial, breaches), flush=True)
            return False
    return True


if __name__ == "__main__":
    app()
