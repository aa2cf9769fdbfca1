"""The place of a fault never repeats what was sent: a key may be a name or a number as well.

What looks like a field's name helps to find a slip of the pen, and is cut; the rest is left out.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from chassis.problems import Problem, from_validation

MOST_FAULTS: Final = 100
NAME_LENGTH: Final = 40
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

Place = tuple[str | int, ...]


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - how the handler is registered
    return told(error.errors()).response()


def told(faults: Sequence[Any]) -> Problem:
    some = [fault | {"loc": harmless(fault["loc"])} for fault in faults[:MOST_FAULTS]]
    return from_validation(RequestValidationError(some))


def harmless(place: Place) -> Place:
    return tuple(
        part[:NAME_LENGTH] if isinstance(part, str) else part
        for part in place
        if isinstance(part, int) or NAME.fullmatch(part)
    )
