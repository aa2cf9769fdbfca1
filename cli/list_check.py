"""`rollcall list check`: what is wrong with a list is known before it leaves the machine."""

import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.checking import Report, check_body, check_table
from cli.fixing import FixFile
from cli.fixing_rows import fix_rows
from cli.list_words import counts_in_words, in_words, say_columns, say_groups
from cli.new_file import whole_file
from cli.printing import say, say_failure, say_json
from services.ingest.reading.columns import SETTINGS, FileRefusedError, suggestion
from services.ingest.reading.csv_file import read_csv
from services.ingest.reading.json_file import read_body
from services.ingest.reading.json_text import BodyRefusedError
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import CheckedRow, Given
from services.ingest.uploading.content import Content
from services.ingest.uploading.sources import Source

Json = dict[str, Any]
FILE_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Looked:
    report: Report
    suggested: dict[str, str]
    mapping: dict[str, str]
    """What is to be sent with the file that was written."""


def check(
    file: Path,
    *,
    mapping: dict[str, str] | None,
    regions: Sequence[str],
    fix: Path | None,
    as_json: bool,
) -> int:
    """0 where every row can be called, else 1."""
    policy = Policy(frozenset(map(str.upper, regions)) if regions else None)
    try:
        looked = _look(file, mapping, policy, fix)
    except FileRefusedError as refused:
        problem = {"title": refused.message, "code": refused.code, "line": refused.line}
        return say_failure(refused.message, as_json=as_json, problem=problem)
    except BodyRefusedError as refused:
        return say_failure(_of_body(refused), as_json=as_json)
    written = fix if looked.report.rejected else None
    if as_json:
        say_json(_as_json(looked, written))
    else:
        _say(looked, written)
    return 1 if looked.report.rejected else 0


def _look(file: Path, mapping: dict[str, str] | None, policy: Policy, fix: Path | None) -> Looked:
    with file.open("rb") as opened:
        content = Content(file=opened, size=file.stat().st_size)
        if content.size > FILE_BYTES:
            message = f"Keep a file to {FILE_BYTES:,} bytes (50 MB); split the list."
            raise FileRefusedError("upload_too_large", message)
        if file.suffix.lower() == ".json":
            return _look_at_body(content, policy, fix)
        return _look_at_table(Source(content, mapping), policy, fix)


def _look_at_table(source: Source, policy: Policy, fix: Path | None) -> Looked:
    with source.content.open() as file, whole_file(fix) if fix else nullcontext() as out:
        table = read_csv(file)
        try:
            columns = source.columns(table.header)
        except FileRefusedError as refused:
            raise _with_hint(refused, table.header) from None
        fixing = FixFile(out, table.header, table.delimiter) if out else None

        def keep(cells: Sequence[str], checked: CheckedRow) -> None:
            if fixing is not None:
                fixing.add(cells, [it.message for it in checked.errors])

        report = check_table(table, columns, policy, keep)
    return Looked(report, suggestion(table.header, columns), dict(source.mapping or {}))


def _look_at_body(content: Content, policy: Policy, fix: Path | None) -> Looked:
    with content.open() as file:
        body = read_body(file)
    if body.start is None or body.fields:
        message = 'Send an object with nothing but the list "recipients" in it.'
        raise BodyRefusedError([{"loc": ("body",), "type": "field_invalid", "msg": message}])
    with fix_rows() as fixing:

        def keep(given: Given, checked: CheckedRow) -> None:
            if fix is not None:
                fixing.add(_row_of(given, checked))

        report = check_body(Source(content, start=body.start), policy, keep)
        if fix is not None and fixing.rows:
            with whole_file(fix) as out:
                fixing.write(out)
        return Looked(report, {}, fixing.mapping({}))


def _row_of(given: Given, checked: CheckedRow) -> Json:
    return {
        "phone_number": given.phone_number,
        "name": given.name,
        "ignore_e164_validation": given.ignore_e164_validation,
        "variables": dict(given.variables),
        **{name: given.settings.get(name) for name in SETTINGS},
        "line": None,
        "errors": [{"code": it.code, "message": it.message} for it in checked.errors],
    }


def _with_hint(refused: FileRefusedError, header: Sequence[str]) -> FileRefusedError:
    """The mapping as it is typed here."""
    likely = [name for name, role in suggestion(header).items() if role == "phone_number"]
    if refused.code != "csv_no_phone_column" or not likely:
        return refused
    words = in_words({likely[0]: "phone_number"})
    message = f"No column is called phone_number. If that is meant, add {words}"
    return FileRefusedError(refused.code, message)


def _of_body(refused: BodyRefusedError) -> str:
    fault = refused.faults[0]
    place = ".".join(str(part) for part in fault["loc"][1:])
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])


def _say(looked: Looked, written: Path | None) -> None:
    report = looked.report
    columns = [{"name": it.header, "role": it.word} for it in report.columns]
    say_columns(columns, looked.suggested)
    for title, groups in (("wrong", report.errors), ("to be looked at", report.warnings)):
        if list(groups):
            say(f"\n{title}")
            say_groups(groups)
    rows = "row" if report.rows == 1 else "rows"
    say(f"\n{report.rows:,} {rows}: {counts_in_words(_counts(report))}")
    if written is not None:
        words = " ".join(filter(None, (shlex.quote(str(written)), in_words(looked.mapping))))
        say(f"{written} has the rejected rows; mended, upload it with")
        say(f"  rollcall list upload {words}")


def _counts(report: Report) -> Json:
    named = ("rows", "accepted", "rejected", "duplicates")
    return {name: getattr(report, name) for name in named}


def _as_json(looked: Looked, written: Path | None) -> Json:
    report = looked.report
    return {
        **_counts(report),
        "columns": [{"name": it.header, "role": it.word} for it in report.columns],
        "suggestion": {"columns": looked.suggested},
        "errors": [it.as_json() for it in report.errors],
        "warnings": [it.as_json() for it in report.warnings],
        "fix": None if written is None else str(written),
    }
