"""Which results, and behind whom: every line has its `recipient_id`, and that is the cursor."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator

from chassis.problems import FieldProblem, Problem
from services.projections.api.parameters import Nothing, SeenOutcome, SeenStatus


def cursor_invalid() -> Problem:
    message = "Send the recipient_id of the last line that you have, or none to begin again."
    error = FieldProblem(field="cursor", code="cursor_invalid", message=message)
    return Problem(
        422, "cursor_invalid", "The cursor is not one of this batch.", message, errors=[error]
    )


def _recipient(value: Any) -> Any:
    try:
        return UUID(value) if isinstance(value, str) else value
    except ValueError:
        raise cursor_invalid() from None


class ResultFilter(Nothing):
    status: SeenStatus = None
    outcome: SeenOutcome = None
    cursor: Annotated[UUID | None, BeforeValidator(_recipient)] = None
    """The recipient_id of the last line at hand: what follows it is answered, without a header."""


class CsvFilter(ResultFilter):
    bom: bool = False
    """Begin with a byte order mark, by which a spreadsheet knows UTF-8."""


ResultParameters = Annotated[ResultFilter, Query()]
CsvParameters = Annotated[CsvFilter, Query()]
