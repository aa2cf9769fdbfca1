"""Rows of a file and rows of a JSON body pass the same checks and come out alike."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from pydantic_core import to_json

from contracts.sealed import FieldError, Rejection
from services.ingest.reading.columns import Column, columns_of, known_of
from services.ingest.reading.csv_file import fitted, read_csv, too_many_cells
from services.ingest.reading.json_file import given_in_json, recipients_in
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import CheckedRow, Note, check_row, given_in
from services.ingest.uploading.content import Content
from services.ingest.uploading.staging import Accepted, Portion, Sealing, Stager

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Source:
    """A list as it was sent; it can be handed to another process."""

    content: Content
    mapping: Mapping[str, str] | None = None
    start: int | None = None
    """Where the recipients of a JSON body begin, in bytes; None: a CSV file."""
    known: Mapping[str, str] = field(default_factory=dict)
    """What columns of earlier files were, for those of the same header, unless it is said anew."""

    def columns(self, header: Sequence[str]) -> tuple[Column, ...]:
        """Raises FileRefusedError."""
        if self.mapping is not None:
            return columns_of(header, self.mapping)
        return columns_of(header, known_of(header, self.known))

    def rows(self, policy: Policy) -> Iterator[CheckedRow]:
        """Row by row.  Raises FileRefusedError or BodyRefusedError on the way."""
        return self._of_file(policy) if self.start is None else self._of_json(self.start, policy)

    def _of_file(self, policy: Policy) -> Iterator[CheckedRow]:
        with self.content.open() as file:
            table = read_csv(file)
            columns = self.columns(table.header)
            for row, (line, cells) in enumerate(table.rows, start=1):
                yield check_cells(row, line, cells, columns, policy)

    def _of_json(self, start: int, policy: Policy) -> Iterator[CheckedRow]:
        with self.content.open() as file:
            for row, element in enumerate(recipients_in(file, start), start=1):
                yield check_row(row, None, given_in_json(element, row), policy)


def check_cells(
    row: int, line: int, cells: list[str], columns: Sequence[Column], policy: Policy
) -> CheckedRow:
    """A row of a file; one that is too long for its header has that wrong with it, too."""
    width = len(columns)
    fit = fitted(cells, width)
    checked = check_row(row, line, given_in(columns, fit or cells[:width]), policy)
    if fit is not None:
        return checked
    misfit = Note("row", "too_many_cells", too_many_cells(cells, width))
    return replace(checked, errors=(misfit, *checked.errors))


class Making(Protocol[P_co]):
    """What checked rows become, some at a time; it can be handed to another process."""

    @property
    def policy(self) -> Policy: ...

    def portions(self, rows: Iterable[CheckedRow]) -> Iterator[P_co]: ...


@dataclass(frozen=True, slots=True)
class Job(Generic[P]):
    """A list that was sent, and what is to become of it."""

    source: Source
    making: Making[P]

    @property
    def size(self) -> int:
        return self.source.content.size

    def portions(self) -> Iterator[P]:
        return self.making.portions(self.source.rows(self.making.policy))


@dataclass(frozen=True, slots=True)
class ForBatch:
    """Rows are sealed under the batch's key."""

    policy: Policy
    sealing: Sealing
    zoned: bool
    """Whether the window asks for the zones of each number."""
    after_row: int = 0
    """The rows of a further addition count on from there."""

    def portions(self, rows: Iterable[CheckedRow]) -> Iterator[Portion]:
        zoned, after = self.zoned, self.after_row
        return Stager(self.sealing).portions(
            judged(row, zoned=zoned, after_row=after) for row in rows
        )


def judged(row: CheckedRow, *, zoned: bool, after_row: int = 0) -> Accepted | Rejection:
    number = after_row + row.row
    if row.errors:
        return Rejection(
            row=number,
            line=row.line,
            phone_number=row.phone_number,
            name=row.name,
            errors=tuple(
                FieldError(field=it.field, code=it.code, message=it.message) for it in row.errors
            ),
        )
    return Accepted(
        row=number,
        line=row.line,
        phone_number=row.phone_number,
        name=row.name,
        secrets=_secrets(row),
        zones=row.zones if zoned else (),
        not_before=row.settings.not_before,
        from_number=row.settings.from_number,
    )


def _secrets(row: CheckedRow) -> str:
    """A `sealed.RecipientSecrets`, written without being made first: that is most of its cost."""
    fields = {
        "phone_number": row.phone_number,
        "name": row.name,
        "ignore_e164_validation": bool(row.ignore_e164_validation),
        "variables": row.variables,
        "language": row.settings.language,
        "first_message": row.settings.first_message,
        "webhook_url": row.settings.webhook_url,
    }
    return to_json(fields).decode()
