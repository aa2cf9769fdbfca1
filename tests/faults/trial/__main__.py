"""`python -m tests.faults.trial`: as long as asked, or until a promise is broken; then the story.

--placements and --faults are for the whole run; a seed gives the same schedule and the same dice.
"""

import random
import sys

import cyclopts

from tests.faults.trial.convict import MUTANTS, tried
from tests.faults.trial.long import stands

app = cyclopts.App(help=__doc__)


@app.default
def run(
    *,
    seed: int | None = None,
    placements: int = 3000,
    faults: int = 20,
    houses: int = 1,
    runs: int = 1,
    mutants: bool = False,
    mutant: str = "",
) -> None:
    """Each run after the first has other seeds, and houses of its own.

    `--houses` stand side by side and share the placements and faults, each under a seed of its own:
    while one stands still under a fault, another uses the machine.

    `--mutants` runs the broken variants in place of it, each until the check named for the promise
    that it breaks has spoken, five times at most; `--mutant` those whose name has it.
    """
    if mutants or mutant:
        sys.exit(0 if all_are_caught(mutant) else 1)
    first = random.SystemRandom().randrange(10**6) if seed is None else seed
    for each in range(first, first + runs * houses, houses):
        asked = f"--seed {each} --placements {placements} --faults {faults} --houses {houses}"
        print(asked, flush=True)
        if not stands(each, placements, faults, houses):
            sys.exit(1)


def all_are_caught(name: str) -> bool:
    runs = {it.what: tried(it, most=5) for it in MUTANTS if name in it.what}
    for what, run in runs.items():
        print(f"{what}: caught in run {run}" if run else f"{what}: NOT CAUGHT", flush=True)
    return all(runs.values())


if __name__ == "__main__":
    app()
