"""Keyset pages: a cursor names the last row seen, so a page never skips or repeats what stays."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter
from pydantic_core import to_json

from chassis.problems import FieldProblem, Problem
from contracts.instants import Instant

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C")

Row = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]

BY_ROW: TypeAdapter[tuple[Row, UUID]] = TypeAdapter(tuple[Row, UUID])
BY_INSTANT: TypeAdapter[tuple[Instant, UUID]] = TypeAdapter(tuple[Instant, UUID])
BY_KEY: TypeAdapter[tuple[Name, Name, Row, UUID]] = TypeAdapter(tuple[Name, Name, Row, UUID])
"""The order it is of, first."""
BY_NAME: TypeAdapter[tuple[Name]] = TypeAdapter(tuple[Name])


class Page(BaseModel, Generic[T]):
    data: list[T]
    next_cursor: str | None = Field(description="What to send as `cursor`; null: there is no more.")


def page_of(
    rows: Sequence[R], limit: int, show: Callable[[R], T], key: Callable[[R], tuple[object, ...]]
) -> Page[T]:
    """A page of rows fetched with one to spare, which only tells that there are more."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        data=[show(row) for row in shown],
        next_cursor=_cursor(key(shown[-1])) if more else None,
    )


def _cursor(key: tuple[object, ...]) -> str:
    return urlsafe_b64encode(to_json(key)).decode()


def after(cursor: str | None, kind: TypeAdapter[C]) -> C | None:
    """Where to go on; None: from the start."""
    if cursor is None:
        return None
    try:
        return kind.validate_json(urlsafe_b64decode(cursor.encode()), strict=True)
    except ValueError:
        raise cursor_invalid() from None


def cursor_invalid() -> Problem:
    message = "Send the cursor as `next_cursor` gave it for the same list, or none to begin again."
    error = FieldProblem(field="cursor", code="cursor_invalid", message=message)
    return Problem(
        422, "cursor_invalid", "The cursor is not one of this list's.", message, errors=[error]
    )
