"""A trial that finds nothing in a broken system proves nothing: every mutant has to be convicted.

Each is put under the faults that reach it, in a new house a run, until a check speaks.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.faults.trial.checks import (
    Breach,
    at_most_one_request_reaches_the_carrier_per_call,
    never_more_at_a_time_than_the_account_may,
    no_grant_is_forgotten,
    nobody_is_called_again_without_a_reason,
    nobody_is_called_more_often_than_asked,
    nobody_is_in_two_calls_at_once,
    nothing_rings_after_the_answer_that_all_is_quiet,
    nothing_rings_at_the_wrong_time,
    nothing_rings_unannounced_or_late,
    what_is_said_of_a_call_is_what_was,
)
from tests.faults.trial.grounds import grounds
from tests.faults.trial.rounds import IMPATIENT, LIKELY, QUICK, Size, Trial
from tests.faults.trial.schedule import Kind
from tests.faults.trial.thorough import (
    every_slot_can_be_used,
    no_deleted_batch_has_a_key,
    the_log_keeps_every_promise,
    the_models_are_the_log,
)
from tests.house import Json

BROKEN = "tests.faults.mutants.broken"
DIALERS, SCHEDULER, INGEST = ("dialer-1", "dialer-2"), ("scheduler",), ("ingest",)


def carrier(**faults: float) -> Json:
    return {**QUICK, "faults": {**LIKELY, "unauthorized": 0, **faults}}


PLAIN = Size(
    placements=250, faults=0, accounts=2, limit=25, batch=60, seconds=90, carrier=carrier()
)


@dataclass(frozen=True, slots=True)
class Mutant:
    what: str
    """`module.function` that breaks it."""
    by: Callable[..., Iterator[Breach]]
    """The check named for the promise that it breaks: this one has to speak."""
    parts: tuple[str, ...]
    size: Size = PLAIN
    env: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = ()

    def is_caught(self, found: Collection[str]) -> bool:
        return self.by.__name__ in found


def under(*kinds: Kind, parts: tuple[str, ...], faults: int = 8, **more: Json) -> Size:
    return replace(PLAIN, kinds=kinds, parts=parts, faults=faults, **more)  # type: ignore[arg-type]


def wires(parts: tuple[str, ...], *servers: str) -> tuple[str, ...]:
    return tuple(f"{part}/{server}" for part in parts for server in servers)


LONGER = {**carrier(), "talk_seconds": [1, 3]}
"""So that calls to one number, which stands on several lists, would overlap."""
SLOW_GRANTS = {"ROLLCALL_CARRIER_CALLS_PER_SECOND": "30"}
"""Grants wait for their turn, so that a gate closes before some of them."""
MUTANTS = (
    Mutant(
        "dialing.looks_at_no_gate",
        nothing_rings_after_the_answer_that_all_is_quiet,
        DIALERS,
        env=SLOW_GRANTS,
    ),
    Mutant(
        "dialing.asks_again_without_an_answer",
        at_most_one_request_reaches_the_carrier_per_call,
        DIALERS,
    ),
    Mutant(
        "dialing.looks_at_the_clock_too_early",
        nothing_rings_unannounced_or_late,
        DIALERS,
        under(Kind.FREEZE, parts=DIALERS),
    ),
    Mutant(
        "dialing.sends_again_what_it_finds_after_a_restart",
        at_most_one_request_reaches_the_carrier_per_call,
        DIALERS,
        under(Kind.KILL, parts=DIALERS, carrier=carrier(slow=0.4)),
    ),
    Mutant(
        "dialing.redials_what_has_left_no_trace",
        at_most_one_request_reaches_the_carrier_per_call,
        DIALERS,
    ),
    Mutant("dialing.applies_a_callback_twice", the_log_keeps_every_promise, DIALERS),
    Mutant("dialing.takes_every_ending_for_an_answer", what_is_said_of_a_call_is_what_was, DIALERS),
    Mutant(
        "dialing.rings_before_it_is_announced",
        nothing_rings_unannounced_or_late,
        DIALERS,
        under(Kind.CUT, Kind.SILENT, parts=wires(DIALERS, "kafka")),
    ),
    Mutant(
        "dialing.knows_no_number_again",
        nobody_is_in_two_calls_at_once,
        DIALERS,
        replace(PLAIN, batch=30, carrier=LONGER),
    ),
    Mutant(
        "dialing.forgets_what_it_has_read",
        no_grant_is_forgotten,
        DIALERS,
        under(Kind.CUT, Kind.KILL, parts=(*DIALERS, *wires(DIALERS, "postgres")), faults=10),
    ),
    Mutant(
        "elsewhere.counts_slots_now_and_then", never_more_at_a_time_than_the_account_may, SCHEDULER
    ),
    Mutant("elsewhere.leaks_a_slot_now_and_then", every_slot_can_be_used, SCHEDULER),
    Mutant("elsewhere.calls_at_any_hour", nothing_rings_at_the_wrong_time, SCHEDULER),
    Mutant("elsewhere.redials_whoever_it_was", nobody_is_called_again_without_a_reason, SCHEDULER),
    Mutant("elsewhere.counts_no_attempts", nobody_is_called_more_often_than_asked, SCHEDULER),
    Mutant("elsewhere.forgets_who_waits_for_another_call", the_log_keeps_every_promise, SCHEDULER),
    Mutant(
        "elsewhere.lets_go_before_the_broker_has_it",
        the_models_are_the_log,
        SCHEDULER,
        under(Kind.CUT, Kind.KILL, parts=(*SCHEDULER, "scheduler/kafka")),
    ),
    Mutant(
        "elsewhere.forgets_what_it_has_read",
        the_models_are_the_log,
        SCHEDULER,
        under(Kind.CUT, Kind.KILL, parts=(*SCHEDULER, "scheduler/postgres"), faults=10),
    ),
    Mutant(
        "elsewhere.says_quiet_before_it_is",
        nothing_rings_after_the_answer_that_all_is_quiet,
        INGEST,
        env=SLOW_GRANTS,
    ),
    Mutant("elsewhere.keeps_the_key_of_what_is_deleted", no_deleted_batch_has_a_key, INGEST),
    Mutant(
        "elsewhere.forgets_what_it_has_shown",
        the_models_are_the_log,
        ("projections",),
        under(Kind.CUT, Kind.KILL, parts=("projections", "projections/postgres"), faults=10),
    ),
)


def convicted(mutant: Mutant, seed: int) -> list[str]:
    """The checks that speak, each once."""
    env = {**IMPATIENT, **mutant.env, "ROLLCALL_MUTANT": mutant.what}
    broken = dict.fromkeys(mutant.parts, BROKEN)
    kinds = tuple(mutant.size.kinds or ())
    with (
        tempfile.TemporaryDirectory(prefix="mutant-") as folder,
        grounds(Path(folder) / "data", dialers=2, mutants=broken, kinds=kinds, **env) as ground,
        Trial(ground, seed, mutant.size) as trial,
    ):
        found = trial.round()
        if not found:
            found = trial.thorough()
        elif not mutant.is_caught([breach.check for breach in found]):
            found += trial.of_the_log()
        return list(dict.fromkeys(breach.check for breach in found))


def tried(mutant: Mutant, most: int, seed: int = 1) -> int | None:
    """In how many runs the check spoke that is named for the promise; None: in none."""
    for run in range(1, most + 1):
        found = convicted(mutant, seed + run - 1)
        print(f"{mutant.what}, run {run}: {', '.join(found) or 'nothing'}", flush=True)
        if mutant.is_caught(found):
            return run
    return None
