"""Files as they come out of the world, each beside what is to come of it: see tests/torture."""

import gzip
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from contracts.sealed import digest_of
from services.ingest.reading.columns import Column, FileRefusedError, columns_of
from services.ingest.reading.csv_file import read_csv
from services.ingest.reading.json_file import given_in_json, read_body, recipients_in
from services.ingest.reading.json_text import BodyRefusedError
from services.ingest.reading.plain import plain_number
from services.ingest.reading.policy import Policy, Suppressed
from services.ingest.reading.rows import CheckedRow, check_row
from services.ingest.uploading.sources import check_cells

CASES = Path(__file__).parent.parent / "torture"
PEPPER = b"pepper"
EXPECTED = ".expected.json"
ASIDE = {"README.md", ".gitattributes"}
SAID = {"about", "made", "mapping", "policy"}
KNOWN = SAID | {"accepted", "rejected", "duplicates", "columns", "errors", "warnings", "rows"}
Case = dict[str, Any]


def names() -> list[str]:
    return sorted(it.name.removesuffix(EXPECTED) for it in CASES.glob(f"*{EXPECTED}"))


def case_of(name: str) -> Case:
    case: Case = json.loads((CASES / f"{name}{EXPECTED}").read_bytes())
    return case


def inputs() -> dict[str, Path]:
    files = (it for it in CASES.iterdir() if not it.name.endswith(EXPECTED))
    return {it.stem: it for it in files if it.name not in ASIDE}


def content(name: str, case: Case) -> tuple[str, bytes]:
    """Its kind, and its bytes."""
    made = case.get("made")
    if made is None:
        file = inputs()[name]
        return "json" if file.suffix == ".json" else "csv", file.read_bytes()
    if "bytes_hex" in made:
        data = bytes.fromhex(made["bytes_hex"])
    elif "text" in made:
        data = made["text"].encode(made["encoding"])
    else:
        parts = (it if isinstance(it, str) else it[0] * it[1] for it in made["parts"])
        data = "".join(parts).encode()
    return made["kind"], gzip.compress(data, mtime=0) if made.get("gzip") else data


def policy_of(case: Case) -> Policy:
    said = case.get("policy", {})
    regions, callers = said.get("allowed_regions"), said.get("caller_ids")
    return Policy(
        allowed_regions=None if regions is None else frozenset(regions),
        caller_ids=None if callers is None else frozenset(callers),
        suppressed=Suppressed.of(
            PEPPER, [digest_of(PEPPER, number) for number in said.get("suppressed", [])]
        ),
    )


def read(name: str, case: Case) -> tuple[tuple[Column, ...], list[CheckedRow]]:
    kind, data = content(name, case)
    file, policy = io.BytesIO(data), policy_of(case)
    if kind == "csv":
        table = read_csv(file)
        columns = columns_of(table.header, case.get("mapping"))
        rows = enumerate(table.rows, start=1)
        return columns, [check_cells(row, *it, columns, policy) for row, it in rows]
    body = read_body(file)
    elements = recipients_in(file, body.start) if body.start is not None else iter(())
    givens = ((row, given_in_json(it, row)) for row, it in enumerate(elements, start=1))
    return (), [check_row(row, None, given, policy) for row, given in givens]


def told(rows: list[CheckedRow], notes: str) -> dict[str, list[str]]:
    found = {str(row.row): getattr(row, notes) for row in rows}
    return {row: [f"{it.field} {it.code}" for it in some] for row, some in found.items() if some}


def duplicates(rows: list[CheckedRow]) -> int:
    numbers = [row.phone_number for row in rows if row.accepted]
    return len(numbers) - len(set(numbers))


def shown(row: CheckedRow) -> dict[str, Any]:
    fields = asdict(row)
    at = row.settings.not_before
    settings: dict[str, Any] = fields.pop("settings")
    return {**fields, **settings, "not_before": at and at.isoformat()}


def refusal_of(name: str, case: Case) -> dict[str, Any]:
    try:
        read(name, case)
    except FileRefusedError as error:
        return vars(error) | {"says": error.message}
    except BodyRefusedError as error:
        (fault,) = error.faults
        field = ".".join(map(str, fault["loc"][1:]))
        return vars(error) | {"code": fault["type"], "field": field, "says": fault["msg"]}
    return {"code": None}


@pytest.mark.parametrize("name", names())
def test_a_file_out_of_the_world_is_read_as_expected(name: str) -> None:
    case = case_of(name)
    assert case["about"].endswith(".")
    if wanted := case.get("refused"):
        refusal = refusal_of(name, case)
        says = wanted.pop("says", "")
        assert {key: refusal.get(key) for key in wanted} == wanted
        assert says in refusal["says"]
        assert {*case} <= SAID | {"refused"}
        return
    assert {*case} <= KNOWN
    columns, rows = read(name, case)
    assert sum(row.accepted for row in rows) == case["accepted"]
    assert sum(not row.accepted for row in rows) == case["rejected"]
    assert duplicates(rows) == case["duplicates"]
    assert [column.word for column in columns] == case.get("columns", [])
    assert told(rows, "errors") == case.get("errors", {})
    assert told(rows, "warnings") == case.get("warnings", {})
    for row, wanted in case.get("rows", {}).items():
        found = shown(rows[int(row) - 1])
        assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", names())
def test_the_quick_way_is_never_kinder_than_the_long_one(name: str) -> None:
    case = case_of(name)
    kind, data = content(name, case)
    if kind != "csv" or "refused" in case:
        return
    policy, table = policy_of(case), read_csv(io.BytesIO(data))
    columns = columns_of(table.header, case.get("mapping"))
    quick = plain_number(columns, policy)
    for line, cells in table.rows:
        number = quick(cells) if len(cells) == len(columns) else None
        checked = check_cells(1, line, cells, columns, policy)
        if number is not None:
            assert (checked.phone_number, checked.errors, checked.warnings) == (number, (), ())


def test_every_file_has_its_expectation_and_every_expectation_its_file() -> None:
    made = {
        name for name in names() if "made" in json.loads((CASES / (name + EXPECTED)).read_bytes())
    }
    assert {*inputs()} == {*names()} - made
    assert len(names()) >= 40
