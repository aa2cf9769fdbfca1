"""A long trial: rounds in houses side by side, until all is placed or a promise is broken."""

import itertools
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.faults.trial.grounds import grounds
from tests.faults.trial.rounds import IMPATIENT, Size, Trial
from tests.faults.trial.schedule import LONG, SHORT, Kind
from tests.faults.trial.story import tell
from tests.faults.trial.tally import Tally

A_ROUND, TAIL = 6000, 1 / 3
"""Placements, and the share of them that was asked for already when no more work is given."""
THOROUGH = 9
"""Rounds between two looks at all that takes its time; there is one at the end in any case."""
BATCH, LIMIT = 300, 100
"""Enough people wait that a system which comes back is at work at once."""
LASTING = {**SHORT, Kind.CLOCK: LONG[Kind.CLOCK], Kind.SILENT: (1.0, 12.0)}
KINDS = (*Kind, *4 * (Kind.KILL,), *3 * (Kind.FREEZE,), *3 * (Kind.REBALANCE,))
"""Processes are struck most: two times in three."""


def stands(seed: int, placements: int, faults: int, houses: int = 1) -> bool:
    """Whether no promise was broken."""
    began = time.monotonic()
    with ProcessPoolExecutor(houses, get_context("spawn")) as pool:
        share = partial(tried_in_a_house, placements=placements // houses, faults=faults // houses)
        tally = sum(pool.map(share, range(seed, seed + houses)), Tally())
    minutes = (time.monotonic() - began) / 60
    print(f"all of it, {minutes:.1f} min\n{tally.story()}", flush=True)
    return not tally.breaches


def tried_in_a_house(seed: int, *, placements: int, faults: int) -> Tally:
    a_round = min(placements, A_ROUND)
    size = Size(
        placements=round(a_round * (1 - TAIL)),
        faults=-(-faults * a_round // placements),
        kinds=KINDS,
        lasting=dict(LASTING),
        batch=BATCH,
        limit=LIMIT,
    )
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        home = Path(folder) / "data"
        with (
            grounds(home, dialers=2, mutants=None, kinds=tuple(Kind), **IMPATIENT) as ground,
            Trial(ground, seed, size) as trial,
        ):
            return rounds(trial, placements)


def rounds(trial: Trial, placements: int) -> Tally:
    """Until a promise is broken; the story of that is told."""
    for n in itertools.count(1):
        breaches = trial.round()
        over = trial.tally.placements >= placements
        if not breaches and (over or n % THOROUGH == 0):
            breaches = trial.thorough()
        print(f"seed {trial.seed}, round {n}\n{trial.tally.story()}", flush=True)
        if breaches:
            print(tell(trial, breaches), flush=True)
        if breaches or over:
            break
    return trial.tally
