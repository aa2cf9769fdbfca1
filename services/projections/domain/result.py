"""What is told of a recipient when all is said: the same facts in the same order, on every line."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from contracts.outcomes import Outcome, RecipientStatus
from services.projections.domain.formulas import harmless


class Result(NamedTuple):
    """From `call_id` on it is about the last call."""

    row: int
    phone_number: str | None
    name: str | None
    status: RecipientStatus
    outcome: Outcome | None
    attempts: int
    recipient_id: str
    call_id: str | None
    cause: str | None
    started_at: str | None
    """Instants as RFC 3339 writes them, in UTC."""
    answered_at: str | None
    ended_at: str | None
    duration_seconds: float | None
    cost: float | None
    currency: str | None
    recording_url: str | None
    collected: str | None
    """JSON."""
    variables: str | None
    """JSON; in CSV a column each."""


OURS: Final = Result._fields[:-1]
OTHERS: Final = "variable_"
"""What comes before the name of a variable that is called like one of our columns."""


def columns_of(variables: Sequence[str]) -> list[str]:
    """The header of a CSV: no two alike, and none a formula."""
    named = [harmless(name) for name in variables]
    columns = dict.fromkeys(OURS)
    for name in named:
        column = name
        if name in columns:
            while column in columns or column in named:
                column = OTHERS + column
        columns[column] = None
    return list(columns)


def cells_of(result: Result, values: Sequence[str | None]) -> list[Any]:
    """A line of a CSV."""
    cells: list[Any] = list(result)
    cells.pop()
    for place in _FROM_OUTSIDE:
        said = cells[place]
        if said:
            cells[place] = harmless(said)
    cells += [value and harmless(value) for value in values]
    return cells


_FROM_OUTSIDE: Final = tuple(
    OURS.index(name)
    for name in ("phone_number", "name", "cause", "currency", "recording_url", "collected")
)
