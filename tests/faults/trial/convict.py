"""A trial that finds nothing in a broken system proves nothing: every mutant has to be convicted.

Each is put under the faults that reach it, in a new house a run, until a check speaks.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.faults.trial.grounds import grounds
from tests.faults.trial.rounds import IMPATIENT, LIKELY, QUICK, Size, Trial
from tests.faults.trial.schedule import Kind
from tests.house import Json

BROKEN = "tests.faults.mutants.broken"
DIALERS, SCHEDULER, INGEST = ("dialer-1", "dialer-2"), ("scheduler",), ("ingest",)
NOT_FOUND = "nothing"


def carrier(**faults: float) -> Json:
    return {**QUICK, "faults": {**LIKELY, "unauthorized": 0, **faults}}


PLAIN = Size(
    placements=250, faults=0, accounts=2, limit=25, batch=60, seconds=45, carrier=carrier()
)


@dataclass(frozen=True, slots=True)
class Mutant:
    what: str
    """`module.function` that breaks it."""
    parts: tuple[str, ...]
    size: Size = PLAIN
    env: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = ()


def under(*kinds: Kind, parts: tuple[str, ...], faults: int = 8, **more: Json) -> Size:
    return replace(PLAIN, kinds=kinds, parts=parts, faults=faults, **more)  # type: ignore[arg-type]


def wires(parts: tuple[str, ...], *servers: str) -> tuple[str, ...]:
    return tuple(f"{part}/{server}" for part in parts for server in servers)


LONGER = {**carrier(), "talk_seconds": [1, 3]}
"""So that calls to one number, which stands on several lists, would overlap."""
SLOW_GRANTS = {"ROLLCALL_CARRIER_CALLS_PER_SECOND": "30"}
"""Grants wait for their turn, so that a gate closes before some of them."""
MUTANTS = (
    Mutant("dialing.looks_at_no_gate", DIALERS, env=SLOW_GRANTS),
    Mutant("dialing.asks_again_without_an_answer", DIALERS),
    Mutant("dialing.looks_at_the_clock_too_early", DIALERS, under(Kind.FREEZE, parts=DIALERS)),
    Mutant(
        "dialing.sends_again_what_it_finds_after_a_restart",
        DIALERS,
        under(Kind.KILL, parts=DIALERS, carrier=carrier(slow=0.4)),
    ),
    Mutant("dialing.redials_what_has_left_no_trace", DIALERS),
    Mutant("dialing.applies_a_callback_twice", DIALERS),
    Mutant(
        "dialing.rings_before_it_is_announced",
        DIALERS,
        under(Kind.CUT, Kind.SILENT, parts=wires(DIALERS, "kafka")),
    ),
    Mutant("dialing.knows_no_number_again", DIALERS, replace(PLAIN, batch=30, carrier=LONGER)),
    Mutant(
        "dialing.forgets_what_it_has_read",
        DIALERS,
        under(Kind.CUT, Kind.KILL, parts=(*DIALERS, *wires(DIALERS, "postgres")), faults=10),
    ),
    Mutant("elsewhere.counts_slots_now_and_then", SCHEDULER),
    Mutant("elsewhere.leaks_a_slot_now_and_then", SCHEDULER),
    Mutant("elsewhere.calls_at_any_hour", SCHEDULER),
    Mutant("elsewhere.redials_whoever_it_was", SCHEDULER),
    Mutant(
        "elsewhere.lets_go_before_the_broker_has_it",
        SCHEDULER,
        under(Kind.CUT, Kind.KILL, parts=(*SCHEDULER, "scheduler/kafka")),
    ),
    Mutant(
        "elsewhere.forgets_what_it_has_read",
        SCHEDULER,
        under(Kind.CUT, Kind.KILL, parts=(*SCHEDULER, "scheduler/postgres"), faults=10),
    ),
    Mutant("elsewhere.says_quiet_before_it_is", INGEST, env=SLOW_GRANTS),
    Mutant("elsewhere.keeps_the_key_of_what_is_deleted", INGEST),
    Mutant(
        "elsewhere.forgets_what_it_has_shown",
        ("projections",),
        under(Kind.CUT, Kind.KILL, parts=("projections", "projections/postgres"), faults=10),
    ),
)


def convicted(mutant: Mutant, seed: int) -> str:
    """The checks that speak."""
    env = {**IMPATIENT, **mutant.env, "ROLLCALL_MUTANT": mutant.what}
    broken = dict.fromkeys(mutant.parts, BROKEN)
    kinds = tuple(mutant.size.kinds or ())
    with (
        tempfile.TemporaryDirectory(prefix="mutant-") as folder,
        grounds(Path(folder) / "data", dialers=2, mutants=broken, kinds=kinds, **env) as ground,
        Trial(ground, seed, mutant.size) as trial,
    ):
        found = trial.round() or trial.thorough()
        return ", ".join(dict.fromkeys(breach.check for breach in found)) or NOT_FOUND


def tried(mutant: Mutant, most: int, seed: int = 1) -> list[str]:
    """What each run found, until one found something."""
    found: list[str] = []
    while len(found) < most and (not found or found[-1] == NOT_FOUND):
        found.append(convicted(mutant, seed + len(found)))
    return found
