"""A figure never stands alone: beside it is what the same machine did in the same run."""

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the figure's ratio to its reference, or on the figure itself."""

    at_least: float | None = None
    at_most: float | None = None
    of_ratio: bool = False

    def is_met_by(self, figure: "Figure") -> bool:
        measured = figure.ratio if self.of_ratio else figure.value
        over = self.at_least is None or measured >= self.at_least
        return over and (self.at_most is None or measured <= self.at_most)

    def __str__(self) -> str:
        bounds = [
            f"{sign} {bound:g}"
            for sign, bound in ((">=", self.at_least), ("<=", self.at_most))
            if bound is not None
        ]
        return " and ".join(bounds) + (" x reference" if self.of_ratio else "")


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    unit: str
    reference: float
    beside: str
    """What the reference is."""
    goal: Goal | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.reference if self.reference else float("inf")

    @property
    def reached(self) -> bool | None:
        return None if self.goal is None else self.goal.is_met_by(self)

    def as_json(self) -> dict[str, Any]:
        said = asdict(self) | {"ratio": self.ratio, "reached": self.reached}
        return said | {"goal": None if self.goal is None else str(self.goal)}


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that at least that share of them does not exceed."""
    ranked = sorted(values)
    return ranked[ceil(share * len(ranked)) - 1]
