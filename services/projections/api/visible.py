"""A read sent with `Rollcall-Min-Position` never shows a model older than that."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header, Request

from chassis.problems import FieldProblem, Problem
from services.projections.api.account import Account
from services.projections.domain.position import Position, read_position
from services.projections.visibility import LANDED, Visibility

HEADER = "Rollcall-Min-Position"
ABOUT = "The `Rollcall-Position` of a command: the answer waits until it shows what was done."


def visible_by(visibility: Visibility, within: float) -> Callable[..., Awaitable[None]]:
    """The dependency of every read."""

    async def visible(
        request: Request,
        account: Account,
        position: Annotated[str | None, Header(alias=HEADER, description=ABOUT)] = None,
    ) -> None:
        _each_once(request)
        if position is None:
            return
        awaited = _read(position)
        place = request.scope["route"].path
        listed = place.replace("/results.", "/recipients.")
        rows = next((kind for kind in LANDED if f"/{kind}" in listed), None)
        try:
            async with asyncio.timeout(within):
                await visibility.wait(account, awaited, rows)
        except TimeoutError:
            raise _not_yet() from None

    return visible


def _each_once(request: Request) -> None:
    """Of two values one would be ignored."""
    names = Counter(name for name, _ in request.query_params.multi_items())
    twice = sorted(name for name, times in names.items() if times > 1)
    if twice:
        message = "Give it once."
        errors = [FieldProblem(field=it, code="field_invalid", message=message) for it in twice]
        title = f"Given more than once: {', '.join(twice)}."
        raise Problem(422, "field_invalid", title, message, errors=errors)


def _read(position: str) -> Position:
    try:
        return read_position(position)
    except ValueError:
        message = "Send a position as a command's Rollcall-Position gave it."
        error = FieldProblem(field=HEADER, code="field_invalid", message=message)
        raise Problem(
            422, "field_invalid", "The position is not one of ours.", message, errors=[error]
        ) from None


def _not_yet() -> Problem:
    return Problem(
        503,
        "not_yet_visible",
        "The read model is not there yet.",
        "Try again in a moment.",
        headers={"Retry-After": "1"},
    )
