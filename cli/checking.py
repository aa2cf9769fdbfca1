"""A list is judged here as a server would judge it, but for what only an account knows.

Memory holds some places of each fault and a mark of 64 bits for each number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cli.groups import Groups, Place
from services.ingest.reading.columns import Column
from services.ingest.reading.csv_file import Table
from services.ingest.reading.json_file import given_in_json, recipients_in
from services.ingest.reading.plain import plain_number
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import CheckedRow, Given, check_row
from services.ingest.uploading.marks import Marks
from services.ingest.uploading.sources import Source, check_cells

MARKED_AT_ONCE: Final = 1_000
TWICE: Final = (
    "An earlier row has the same number: both will be called, one after the other. Remove one of"
    " them if that is not meant."
)


@dataclass(slots=True)
class Report:
    columns: tuple[Column, ...] = ()
    """Of a file; a JSON body has none."""
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    errors: Groups = field(default_factory=Groups)
    warnings: Groups = field(default_factory=lambda: Groups(apart=0))

    @property
    def rows(self) -> int:
        return self.accepted + self.rejected


def check_table(
    table: Table,
    columns: tuple[Column, ...],
    policy: Policy,
    keep: Callable[[Sequence[str], CheckedRow], None],
) -> Report:
    """`keep` is given the rows that cannot be called.  Raises FileRefusedError on the way."""
    counting = _Counting(Report(columns))
    sound, width = plain_number(columns, policy), len(columns)
    for row, (line, cells) in enumerate(table.rows, start=1):
        place = ("line", line)
        if len(cells) == width and (number := sound(cells)):
            counting.accept(place, number)
            continue
        checked = check_cells(row, line, cells, columns, policy)
        counting.judge(place, checked, _written(columns, cells))
        if checked.errors:
            keep(cells, checked)
    return counting.done()


def check_body(source: Source, policy: Policy, keep: Callable[[Given, CheckedRow], None]) -> Report:
    """The same for the recipients of a JSON body.  Raises BodyRefusedError on the way."""
    counting = _Counting(Report())
    with source.content.open() as file:
        for row, element in enumerate(recipients_in(file, source.start or 0), start=1):
            given = given_in_json(element, row)
            checked = check_row(row, None, given, policy)
            counting.judge(("row", row), checked, _said(given))
            if checked.errors:
                keep(given, checked)
    return counting.done()


class _Counting:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._marks = Marks(b"")  # nothing of them is kept: any key will do
        self._seen = set[int]()
        self._unmarked = list[tuple[Place, str]]()

    def accept(self, place: Place, number: str) -> None:
        self._report.accepted += 1
        self._unmarked.append((place, number))
        if len(self._unmarked) == MARKED_AT_ONCE:
            self._mark()

    def judge(self, place: Place, checked: CheckedRow, written: Mapping[str, str]) -> None:
        report = self._report
        for groups, notes in ((report.errors, checked.errors), (report.warnings, checked.warnings)):
            for it in notes:
                groups.add(it.field, it.code, it.message, place, written.get(it.field))
        if checked.accepted:
            self.accept(place, checked.phone_number)
        else:
            report.rejected += 1

    def done(self) -> Report:
        self._mark()
        return self._report

    def _mark(self) -> None:
        marks = self._marks.of([number for _, number in self._unmarked])
        for (place, number), mark in zip(self._unmarked, marks, strict=True):
            if mark in self._seen:
                self._report.duplicates += 1
                twins = self._report.warnings
                twins.add("phone_number", "duplicate_number", TWICE, place, number)
            self._seen.add(mark)
        self._unmarked = []


def _written(columns: Sequence[Column], cells: Sequence[str]) -> dict[str, str]:
    """By the fields that a fault may name."""
    named = [(it.key if it.role == "setting" else it.role) for it in columns]
    return dict(zip(named, cells, strict=False))


def _said(given: Given) -> dict[str, str]:
    ignore = str(given.ignore_e164_validation)
    standard = {"phone_number": given.phone_number, "name": given.name}
    return {**standard, "ignore_e164_validation": ignore, **given.settings}
