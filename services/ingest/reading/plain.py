"""The common row, a sound number and nothing to be looked at twice, is told in a few steps.

It is never kinder than `check_row`: what it passes, that accepts without a warning.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from services.ingest.reading.columns import MAX_COLUMNS, Column
from services.ingest.reading.destinations import refusals
from services.ingest.reading.phone import Phone
from services.ingest.reading.policy import Policy
from services.ingest.reading.recogniser import JUDGES, FullMatch, Kind, Verdict

FLAGS: Final = frozenset({"", "false", "true", "0", "1", "no", "yes"})
"""A number that is valid as it stands is the same with the flag and without."""
NO_COUNTRY: Final = "001"
FIELDS: Final = frozenset({"phone_number", "name", "variables"})
TEXT: Final = frozenset({str})
NO_VARIABLES: Final[dict[str, str]] = {}

ROLES: Final = ("phone_number", "name", "ignore_e164_validation", "setting")


def plain_number(
    columns: Sequence[Column], policy: Policy
) -> Callable[[Sequence[str]], str | None]:
    """For a row's cells, as many as there are columns: its number; None: look closer."""
    places = {role: [i for i, it in enumerate(columns) if it.role == role] for role in ROLES}
    phone = places["phone_number"][0]
    name = next(iter(places["name"]), None)
    flag = next(iter(places["ignore_e164_validation"]), None)
    settings = places["setting"]
    judges, suppressed = _Judges(policy), policy.suppressed or None

    def number_of(cells: Sequence[str]) -> str | None:
        number = cells[phone]
        fullmatch, may_be_called = judges[number[:4], len(number)]
        found = fullmatch(number)
        if (
            found
            and may_be_called[found.lastindex]  # type: ignore[index]
            and (name is None or cells[name].isprintable())
            and (flag is None or cells[flag] in FLAGS)
            and not (settings and any(cells[place] for place in settings))
            and (suppressed is None or number not in suppressed)
        ):
            return number
        return None

    return number_of


def plain_fields(policy: Policy) -> Callable[[Any], str | None]:
    """The same for a recipient of a JSON body that says no more than is common."""
    judges, suppressed = _Judges(policy), policy.suppressed or None

    def number_of(element: Any) -> str | None:
        if type(element) is not dict or not element.keys() <= FIELDS:
            return None
        number, name = element.get("phone_number"), element.get("name", "")
        variables = element.get("variables", NO_VARIABLES)
        if type(number) is not str or type(name) is not str:
            return None
        fullmatch, may_be_called = judges[number[:4], len(number)]
        found = fullmatch(number)
        if (
            found
            and may_be_called[found.lastindex]  # type: ignore[index]
            and name.isprintable()
            and _plain(variables)
            and (suppressed is None or number not in suppressed)
        ):
            return number
        return None

    return number_of


def _plain(variables: Any) -> bool:
    return (
        type(variables) is dict
        and len(variables) <= MAX_COLUMNS
        and set(map(type, variables.values())) <= TEXT
        and not any("\0" in text for pair in variables.items() for text in pair)
    )


class _Judges(dict[tuple[str, int], tuple[FullMatch, tuple[bool, ...]]]):
    """The recogniser's, each meaning of a pattern as whether this account may call such numbers."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._policy = Policy(policy.allowed_regions)

    def __missing__(self, key: tuple[str, int]) -> tuple[FullMatch, tuple[bool, ...]]:
        fullmatch, verdicts = JUDGES[key]
        judge = fullmatch, tuple(map(self._may_be_called, verdicts))
        if key in JUDGES:  # what is no number's beginning leaves nothing behind
            self[key] = judge
        return judge

    def _may_be_called(self, kind: Verdict) -> bool:
        # of no country, such as a satellite's: there it depends on more than on the kind
        told = isinstance(kind, Kind) and kind.region != NO_COUNTRY
        return told and not refusals(Phone("+", cast("Kind", kind)), self._policy)
