"""The common row, a sound number and nothing to be looked at twice, is told in a few steps.

It is never kinder than `check_row`: what it passes, that accepts without a warning.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from services.ingest.reading.columns import Column
from services.ingest.reading.destinations import refusals
from services.ingest.reading.phone import Phone
from services.ingest.reading.policy import Policy
from services.ingest.reading.recogniser import Kind, recognise

FLAGS: Final = frozenset({"", "false", "true", "0", "1", "no", "yes"})
"""A number that is valid as it stands is the same with the flag and without."""
NO_COUNTRY: Final = "001"

Plain = Callable[[Sequence[str]], str | None]


def plain_number(columns: Sequence[Column], policy: Policy) -> Plain:
    """For a row's cells, as many as there are columns: its number; None: look closer."""
    places = {role: [i for i, it in enumerate(columns) if it.role == role] for role in ROLES}
    phone = places["phone_number"][0]
    name = next(iter(places["name"]), None)
    flag = next(iter(places["ignore_e164_validation"]), None)
    settings = places["setting"]
    callable_ = _Callable(policy)
    suppressed = policy.suppressed

    def number_of(cells: Sequence[str]) -> str | None:
        number = cells[phone]
        if (
            callable_[recognise(number)]
            and (name is None or cells[name].isprintable())
            and (flag is None or cells[flag] in FLAGS)
            and not (settings and any(cells[place] for place in settings))
            and not (suppressed and number in suppressed)
        ):
            return number
        return None

    return number_of


ROLES: Final = ("phone_number", "name", "ignore_e164_validation", "setting")


class _Callable(dict[Any, bool]):
    """Whether an account may call numbers of a kind: found out once for each kind."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._policy = Policy(policy.allowed_regions)

    def __missing__(self, kind: object) -> bool:
        # of no country, such as a satellite's: there it depends on more than on the kind
        if isinstance(kind, Kind) and kind.region != NO_COUNTRY:
            self[kind] = not refusals(Phone("+", kind), self._policy)
        else:
            self[kind] = False
        return self[kind]
