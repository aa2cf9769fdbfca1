"""The same seed gives the same faults: a run that failed can be run again."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from types import MappingProxyType

from chassis.postgres import LIMITS
from services.dialer.settings import DialerSettings

SERVERS = ("kafka", "postgres")
CARRIER, DIALERS = "carrier", "dialers"
SESSION = 10.0
"""Seconds after which Kafka gives the partitions of a silent consumer to another: the client's own
default, which the services leave alone."""


class Kind(StrEnum):
    KILL = auto()
    FREEZE = auto()
    CUT = auto()
    """Every connection is reset and every new one refused."""
    SLOW = auto()
    SILENT = auto()
    """What is sent arrives; what is answered arrives only when the wire is mended."""
    HALF_CLOSE = auto()
    """The far side is told that the connection has ended, the near side is not."""
    DISK_FULL = auto()
    CLOCK = auto()
    CARRIER = auto()
    """The carrier fails, delays, repeats and reorders more than it does anyway."""
    REBALANCE = auto()
    """Further dialers come and go."""


WIRES = frozenset({Kind.CUT, Kind.SLOW, Kind.SILENT, Kind.HALF_CLOSE})
PROCESSES = frozenset({Kind.KILL, Kind.FREEZE})


@dataclass(frozen=True, slots=True)
class Fault:
    after: int
    """Requests that the carrier has had since the run began."""
    kind: Kind
    part: str
    """A process, a wire (`dialer-1/kafka`), `carrier` or `dialers`."""
    seconds: float


Span = tuple[float, float]
_dialer = DialerSettings.model_fields
PAST_SENDING = _dialer["send_within_seconds"].default + _dialer["overdue_after_seconds"].default
PAST_EVERYTHING = max(SESSION, *(float(LIMITS[name][:-1]) for name in LIMITS if "timeout" in name))

SHORT: Mapping[Kind, Span] = MappingProxyType(
    {
        Kind.KILL: (0, 0),
        Kind.FREEZE: (PAST_SENDING + 0.5, PAST_SENDING + 2),
        Kind.CUT: (0.2, 2),
        Kind.SLOW: (1, 4),
        Kind.SILENT: (1, 4),
        Kind.HALF_CLOSE: (0.2, 3),
        Kind.DISK_FULL: (2, 4),
        Kind.CLOCK: (2, 6),
        Kind.CARRIER: (2, 5),
        Kind.REBALANCE: (3, 5),
    }
)
LONG: Mapping[Kind, Span] = MappingProxyType(
    {
        **SHORT,
        Kind.FREEZE: (PAST_SENDING + 0.5, PAST_EVERYTHING + 2),
        Kind.SILENT: (1, 20),
        Kind.CLOCK: (5, 30),
    }
)


def schedule(
    seed: int,
    parts: Sequence[str],
    *,
    faults: int,
    requests: int,
    kinds: Sequence[Kind] = tuple(Kind),
    lasting: Mapping[Kind, Span] = SHORT,
) -> tuple[Fault, ...]:
    """Every kind about equally often, and of a kind every part that it can strike.

    A kind that can strike none of the parts is left out; one named twice comes twice as often.
    """
    dice = random.Random(seed)
    turns = [_turns(dice, strikes(kind, parts)) for kind in kinds]
    possible = [(kind, turn) for kind, turn in zip(kinds, turns, strict=True) if turn]
    struck = []
    for n in range(faults if possible else 0):
        kind, turn = possible[n % len(possible)]
        part = turn[n // len(possible) % len(turn)]
        struck.append((kind, part, round(dice.uniform(*lasting[kind]), 2)))
    dice.shuffle(struck)
    moments = sorted(dice.randrange(requests) for _ in struck)
    return tuple(Fault(after, *what) for after, what in zip(moments, struck, strict=True))


def strikes(kind: Kind, parts: Sequence[str]) -> list[str]:
    """Which of the parts such a fault can strike."""
    if kind is Kind.CARRIER:
        return [part for part in parts if part == CARRIER]
    if kind is Kind.REBALANCE:
        return [part for part in parts if part == DIALERS]
    if kind in WIRES:
        return [part for part in parts if "/" in part]
    processes = [part for part in parts if "/" not in part and part not in {CARRIER, DIALERS}]
    if kind is Kind.DISK_FULL:
        return [part for part in processes if part in SERVERS]
    if kind is Kind.CLOCK:
        return [part for part in processes if part not in SERVERS]
    return processes


def _turns(dice: random.Random, parts: Sequence[str]) -> list[str]:
    return dice.sample(list(parts), len(parts))
