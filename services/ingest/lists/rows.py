"""A row of a list as people see it: in one shape, wherever it is shown."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from pydantic import BaseModel

from services.ingest.lists.block import ListRow
from services.ingest.reading.policy import ANYONE
from services.ingest.reading.rows import Note, check_row

State: TypeAlias = Literal["accepted", "rejected"]


class RowNote(BaseModel):
    field: str
    code: str
    message: str


class RowAnswer(BaseModel):
    row: int
    """Counts the list's rows over all its files; it never changes."""
    line: int | None
    """Of its file; None for a row that was typed."""
    phone_number: str
    """As it will be dialled; as it was written while it is wrong."""
    name: str | None
    ignore_e164_validation: bool | str
    """As it was written where that is no flag."""
    variables: dict[str, str]
    not_before: str | None = None
    timezone: str | None = None
    from_number: str | None = None
    language: str | None = None
    first_message: str | None = None
    webhook_url: str | None = None
    state: State
    errors: list[RowNote]
    warnings: list[RowNote]


def shown(row: ListRow, base: int, twins: Mapping[int, int]) -> RowAnswer:
    """`twins`: the first row with the same number, for rows that have an earlier one."""
    checked = check_row(base + row.row, row.line, row.given, ANYONE)
    warnings = [*checked.warnings, *_twin(checked.row, twins)]
    given, flag = row.given, checked.ignore_e164_validation
    return RowAnswer(
        row=checked.row,
        line=row.line,
        phone_number=checked.phone_number,
        name=checked.name,
        ignore_e164_validation=given.ignore_e164_validation if flag is None else flag,
        variables=dict(given.variables),
        **{name: text for name, text in given.settings.items() if text.strip()},
        state="accepted" if row.accepted else "rejected",
        errors=problems(row.errors),
        warnings=problems(warnings),
    )


def problems(notes: Iterable[Note]) -> list[RowNote]:
    return [RowNote(field=it.field, code=it.code, message=it.message) for it in notes]


def _twin(row: int, twins: Mapping[int, int]) -> list[Note]:
    if row not in twins:
        return []
    message = (
        f"Row {twins[row]} has the same number: both will be called, one after the other."
        " Remove one of them if that is not meant."
    )
    return [Note("phone_number", "duplicate_number", message)]
