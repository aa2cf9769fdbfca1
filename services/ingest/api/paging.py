"""A page of a list's rows goes on after the last row of the one before, whatever was removed."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http import HTTPStatus
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from chassis.problems import FieldProblem, Problem
from services.ingest.lists.rows import State

STATES = get_args(State)
MOST_DIGITS = 9


def _state(value: Any) -> Any:
    if value not in {None, *STATES}:
        raise _refused("state", "filter_invalid", f"Give one of {', '.join(STATES)}.")
    return value


class RowFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Annotated[State | None, BeforeValidator(_state)] = None
    search: str | None = Field(default=None, max_length=100)
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=40)

    @property
    def after(self) -> int:
        """The number of a row.  Raises Problem."""
        return 0 if self.cursor is None else _row(self.cursor)


def _rejected(value: Any) -> Any:
    if value != "rejected":
        raise _refused("state", "filter_invalid", "Only the rejected rows are removed together.")
    return value


class AllRejected(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Annotated[State, BeforeValidator(_rejected), Field(validate_default=True)] = "accepted"


def cursor_at(row: int) -> str:
    return urlsafe_b64encode(f"row:{row}".encode()).decode()


def _row(cursor: str) -> int:
    try:
        kind, _, row = urlsafe_b64decode(cursor.encode()).decode().partition(":")
    except (binascii.Error, ValueError):
        kind, row = "", ""
    if (
        kind != "row"
        or not row.isdecimal()
        or len(row) > MOST_DIGITS
        or cursor_at(int(row)) != cursor
    ):
        message = "Give a next_cursor of this list, as it was answered."
        raise _refused("cursor", "cursor_invalid", message)
    return int(row)


def _refused(field: str, code: str, message: str) -> Problem:
    error = FieldProblem(field=field, code=code, message=message)
    title = f"The {field} is not known."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, title, message, errors=[error])
