"""What is written of a recipient is what is read back, whatever a list has in its cells."""

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.outcomes import Outcome, RecipientStatus
from services.projections.api.result_lines import BOM, CsvLines, JsonLines
from services.projections.domain.formulas import harmless
from services.projections.domain.result import OURS, Result

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
tricky = st.text(st.sampled_from("\"',;\r\n=+-@\t \ufeff0123ÄÖ漢\u2028"))
cells = texts | tricky
variables = st.dictionaries(cells, cells, max_size=4)


def result(**changes: Any) -> Result:
    facts: dict[str, Any] = dict.fromkeys(Result._fields)
    seen = {"status": RecipientStatus.COMPLETED, "outcome": Outcome.VOICEMAIL}
    return Result(**facts | seen | {"row": 1, "attempts": 2, "recipient_id": "r"} | changes)


@given(people=st.lists(st.tuples(cells, variables), max_size=5), bom=st.booleans())
def test_a_reader_of_csv_reads_back_every_cell(
    *, people: list[tuple[str, dict[str, str]]], bom: bool
) -> None:
    names = list(dict.fromkeys(name for _, given_names in people for name in given_names))
    lines = CsvLines(names, bom=bom)
    told = [result(name=name, variables=json.dumps(own)) for name, own in people]
    body = (lines.head() + lines.lines(told)).decode()
    assert body.startswith(BOM) is bom
    header, *rows = csv.reader(io.StringIO(body.removeprefix(BOM) if bom else body, newline=""))
    assert len(set(header)) == len(header) == len(OURS) + len(names)
    assert [row[OURS.index("name")] for row in rows] == [harmless(name) for name, _ in people]
    assert [row[len(OURS) :] for row in rows] == [
        [harmless(own.get(name, "")) for name in names] for _, own in people
    ]
    assert body.count("\r\n") >= len(people) + 1


@given(name=cells, own=variables)
def test_a_line_of_json_has_all_of_it_as_it_was(name: str, own: dict[str, str]) -> None:
    lines = JsonLines()
    told = result(
        name=name, variables=json.dumps(own), cost=0.5, currency="EUR", collected='{"a":"b"}'
    )
    body = lines.head() + lines.lines([told])
    assert body.count(b"\n") == 1
    found = json.loads(body)
    assert (found["name"], found["variables"], found["attempts"]) == (name, own, 2)
    assert (found["cost"], found["collected"]) == ({"amount": 0.5, "currency": "EUR"}, {"a": "b"})
