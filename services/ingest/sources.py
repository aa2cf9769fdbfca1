"""Rows of a file and rows of a JSON body pass the same checks and come out alike."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from contracts.calendar import RECIPIENT
from contracts.sealed import FieldError, RecipientSecrets, Rejection
from services.ingest.domain.batch import Terms
from services.ingest.domain.requests import RecipientRequest
from services.ingest.reading.columns import columns_of
from services.ingest.reading.csv_file import Rejected, read_csv
from services.ingest.reading.rows import CheckedRow, Given, check_row, given_in
from services.ingest.staging import Accepted
from services.ingest.submission import Submission


def rows_of(submission: Submission, terms: Terms) -> Iterator[Accepted | Rejection]:
    """Row by row.  Raises FileRefusedError or RequestValidationError on the way."""
    if submission.file is not None:
        rows = _of_file(submission.file)
    else:
        rows = _of_json(submission.recipients or [])
    for row in rows:
        yield row if isinstance(row, Rejection) else _judged(row, terms)


def _of_file(file: BinaryIO) -> Iterator[CheckedRow | Rejection]:
    table = read_csv(file)
    columns = columns_of(table.header)
    shown = {column.role: place for place, column in enumerate(columns)}
    for row in table.rows:
        if isinstance(row, Rejected):
            yield _unreadable(row, shown)
        else:
            yield check_row(row.row, row.line, given_in(columns, row.cells))


def _of_json(recipients: Iterable[Any]) -> Iterator[CheckedRow]:
    for row, written in enumerate(recipients, start=1):
        try:
            recipient = RecipientRequest.model_validate(written)
        except ValidationError as error:
            raise _fault(error, row) from None
        yield check_row(row, None, _given(recipient))


def _given(recipient: RecipientRequest) -> Given:
    return Given(
        phone_number=recipient.phone_number or "",
        name=recipient.name or "",
        ignore_e164_validation=recipient.ignore_e164_validation,
        variables=recipient.variables,
        settings={name: text for name, text in recipient.settings() if text is not None},
    )


def _judged(row: CheckedRow, terms: Terms) -> Accepted | Rejection:
    errors = [FieldError(field=it.field, code=it.code, message=it.message) for it in row.errors]
    caller_id = row.settings.from_number
    if caller_id is not None and caller_id not in terms.caller_ids:
        message = "Name one of the account's numbers that may place calls."
        errors.append(FieldError(field="from_number", code="from_number_invalid", message=message))
    if errors:
        return Rejection(
            row=row.row,
            line=row.line,
            phone_number=row.phone_number,
            name=row.name,
            errors=tuple(errors),
        )
    return Accepted(
        row=row.row,
        line=row.line,
        secrets=_secrets(row),
        zones=row.zones if terms.window.timezone == RECIPIENT else (),
        not_before=row.settings.not_before,
        from_number=caller_id,
    )


def _secrets(row: CheckedRow) -> RecipientSecrets:
    return RecipientSecrets(
        phone_number=row.phone_number,
        name=row.name,
        ignore_e164_validation=bool(row.ignore_e164_validation),
        variables=dict(row.variables),
        language=row.settings.language,
        first_message=row.settings.first_message,
        webhook_url=row.settings.webhook_url,
    )


def _unreadable(row: Rejected, shown: dict[Any, int]) -> Rejection:
    def cell(role: str) -> str | None:
        place = shown.get(role, len(row.cells))
        return row.cells[place] if place < len(row.cells) else None

    return Rejection(
        row=row.row,
        line=row.line,
        phone_number=cell("phone_number"),
        name=cell("name"),
        errors=(FieldError(field="row", code=row.code, message=row.message),),
    )


def _fault(error: ValidationError, row: int) -> RequestValidationError:
    faults = error.errors(include_url=False, include_input=False)
    return RequestValidationError(
        [fault | {"loc": ("body", "recipients", row - 1, *fault["loc"])} for fault in faults]
    )
