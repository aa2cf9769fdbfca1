"""What goes wrong with a list or one of its rows, in the words of the API."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from chassis.problems import FieldProblem, Problem
from services.ingest.api.places import harmless
from services.ingest.lists.mending import RowGoneError, StillWrongError, UnknownVariableError
from services.ingest.lists.rows import problems
from services.ingest.lists.store import ListGoneError


def install(app: FastAPI) -> None:
    for fault in (ListGoneError, RowGoneError, StillWrongError, UnknownVariableError):
        app.add_exception_handler(fault, _answer)


async def _answer(_: Request, error: Exception) -> JSONResponse:
    return problem_of(error).response()


def problem_of(error: Exception) -> Problem:
    match error:
        case StillWrongError(row=row, errors=notes):
            errors = [FieldProblem(row=row, **it.model_dump()) for it in problems(notes)]
            title = "With these values the row cannot be called."
            detail = "See errors; nothing was changed."
            return _unprocessable(notes[0].code, title, detail, errors)
        case UnknownVariableError(keys=keys, known=known):
            message = f"Name only variables the row has: {', '.join(known) or 'it has none'}."
            errors = [
                FieldProblem(
                    field=".".join(map(str, harmless(("variables", key)))),
                    code="unknown_variable",
                    message=message,
                )
                for key in keys
            ]
            title = "A row keeps the variables it came with."
            return _unprocessable("unknown_variable", title, message, errors)
        case RowGoneError():
            title = "The list has no such row."
            return Problem(HTTPStatus.NOT_FOUND, "row_not_found", title, "Look it up under rows.")
        case _:
            title = "There is no such list."
            return Problem(HTTPStatus.NOT_FOUND, "list_not_found", title, "Send the list again.")


def _unprocessable(code: str, title: str, detail: str, errors: list[FieldProblem]) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, title, detail, errors=errors)
