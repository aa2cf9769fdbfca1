"""What is mended in the file of rejected rows can be uploaded: nothing in it is changed or lost."""

import io
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.__main__ import main
from cli.fixing import FixFile
from cli.fixing_rows import fix_rows
from services.ingest.reading.columns import PROBLEM, columns_of
from services.ingest.reading.csv_file import DELIMITERS, read_csv
from services.ingest.reading.rows import given_in

SOUND = "+442079460001"
CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from(',;\t"\r\n= '),
    max_size=12,
)
NAME = st.text(string.ascii_letters + ',;\t"\n', min_size=1, max_size=12).filter(str.strip)


def check(*words: str | Path) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["list", "check", *map(str, words)])
    return ended.value.code


def read(content: bytes) -> list[list[str]]:
    table = read_csv(io.BytesIO(content))
    return [list(table.header), *(cells for _, cells in table.rows)]


@given(
    names=st.lists(NAME, max_size=4, unique_by=str.casefold),
    rows=st.lists(st.lists(CELL, min_size=1, max_size=8), min_size=1, max_size=5),
    problem=CELL,
    delimiter=st.sampled_from(DELIMITERS),
)
def test_any_rows_come_back_cell_by_cell(
    names: list[str], rows: list[list[str]], problem: str, delimiter: str
) -> None:
    header = ["phone_number", *names]
    out = io.StringIO(newline="")
    fixing = FixFile(out, header, delimiter)
    for cells in rows:
        fixing.add(cells, [problem])
    width = len(header)
    padded = [[*cells, *[""] * (width - len(cells))] for cells in rows]
    expected = [[*cells[:width], problem, *cells[width:]] for cells in padded]
    assert read(out.getvalue().encode()) == [[*header, PROBLEM], *expected]


@pytest.mark.parametrize("above", ["", "sep=|\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_file_can_be_mended_by_excel_and_is_taken_again(
    delimiter: str, above: str, tmp_path: Path
) -> None:
    delimiter = "|" if above else delimiter
    file, fix, again = (tmp_path / name for name in ("a.csv", "fix.csv", "again.csv"))
    rows = [["phone", "note"], [SOUND, "fine"], ["0044 207", 'a "b"\n1;2,3'], ["112", ""]]
    lines = (delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in r) for r in rows)
    file.write_text(above + "\n".join(lines))
    assert check(file, "--fix", fix) == 1
    content = fix.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    header, *wrong = read(content)
    assert header == ["phone", "note", PROBLEM]
    assert [cells[:2] for cells in wrong] == rows[2:]
    assert "Use digits only" in wrong[0][2]
    assert "Emergency" in wrong[1][2]
    mended = content.replace(b"0044 207", b"+442079460002").replace(b'"112"', b'"+442079460003"')
    fix.write_bytes(mended)
    assert check(fix, "--fix", again) == 0
    assert not again.exists(), "nothing is wrong any more"


def test_a_row_that_is_too_long_stays_so_until_it_is_mended(tmp_path: Path) -> None:
    file, fix, again = (tmp_path / name for name in ("a.csv", "fix.csv", "again.csv"))
    file.write_text(f"phone_number,name\n{SOUND},Lovelace, Ada\n")
    assert check(file, "--fix", fix) == 1
    _, row = read(fix.read_bytes())
    assert (row[:2], row[3:]) == ([SOUND, "Lovelace"], [" Ada"])
    assert check(fix, "--fix", again) == 1
    assert read(again.read_bytes())[0] == ["phone_number", "name", PROBLEM]
    fix.write_text(fix.read_text(encoding="utf-8-sig").replace(',"" Ada"', "").rsplit(",", 1)[0])
    assert check(fix) == 0


def test_what_is_to_be_typed_next_is_told_with_the_mapping(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, fix = tmp_path / "a.csv", tmp_path / "to mend.csv"
    file.write_text("Mobile,name\n12-34,Ann\n")
    mapping = ("--mapping", "Mobile=phone_number")
    assert check(file, "--fix", fix, *mapping) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"  rollcall list upload '{fix}' --mapping Mobile=phone_number"
    assert check(file, "--fix", fix, "--force", "--json", *mapping) == 1
    assert json.loads(capsys.readouterr().out)["fix"] == str(fix)
    file.write_text(f"Mobile\n{SOUND}\n")
    fix.unlink()
    assert check(file, "--fix", fix, "--json", *mapping) == 0
    assert json.loads(capsys.readouterr().out)["fix"] is None
    assert check(file, "--fix", fix, *mapping) == 0
    assert "upload" not in capsys.readouterr().out


def test_a_file_of_as_many_columns_as_may_be_can_be_handed_back(tmp_path: Path) -> None:
    file, fix, again = (tmp_path / name for name in ("a.csv", "fix.csv", "again.csv"))
    more = [f"v{n}" for n in range(999)]
    file.write_text(",".join(["phone_number", *more]) + "\n12-34," + "," * 998 + "\n")
    assert check(file, "--fix", fix) == 1
    assert check(fix, "--fix", again) == 1
    assert fix.read_bytes() == again.read_bytes()


def test_no_file_is_written_over_unless_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, fix = tmp_path / "a.csv", tmp_path / "fix.csv"
    file.write_text("phone_number\n12-34\n")
    fix.write_text("mine")
    assert check(file, "--fix", fix) == 2
    assert "--force" in capsys.readouterr().err
    assert fix.read_text() == "mine"
    assert check(file, "--fix", file, "--force") == 2
    assert file.read_text() == "phone_number\n12-34\n"
    assert check(file, "--fix", tmp_path / "no" / "fix.csv") == 2
    assert check(file, "--fix", tmp_path, "--force") == 2
    assert check(file, "--fix", fix, "--force") == 1
    assert "12-34" in fix.read_text(encoding="utf-8")
    assert sorted(it.name for it in tmp_path.iterdir()) == ["a.csv", "fix.csv"]


def test_what_was_there_stays_when_the_file_proves_unreadable(tmp_path: Path) -> None:
    file, fix = tmp_path / "a.csv", tmp_path / "fix.csv"
    file.write_bytes(b"phone_number\n12-34\n" * 10_000 + b"\xff\n")
    fix.write_text("mine")
    assert check(file, "--fix", fix, "--force") == 1
    assert fix.read_text() == "mine"
    assert sorted(it.name for it in tmp_path.iterdir()) == ["a.csv", "fix.csv"]


def row(number: str, **more: Any) -> dict[str, Any]:
    errors = [{"field": "phone_number", "code": "phone_not_digits", "message": "Mend it."}]
    blank = {"name": None, "ignore_e164_validation": False, "line": 7}
    return {**blank, "variables": {}, "phone_number": number, "errors": errors, **more}


def test_each_value_of_a_listed_row_comes_back_to_where_it_was() -> None:
    rows = [
        row("1-1", name="Ann", variables={"plan": "A", "phone": "x", "Name": "y"}),
        row("2-2", ignore_e164_validation="maybe", timezone="Mars", variables={"plan": "B"}),
        row("3-3", ignore_e164_validation=True, variables={"request_data.z": "1"}),
    ]
    out = io.StringIO(newline="")
    with fix_rows() as fixing:
        for each in rows:
            fixing.add(each)
        fixing.write(out)
        mapping = fixing.mapping({"Plan": "ignored", "Mobile": "phone_number"})
    header, *written = read(out.getvalue().encode())
    assert mapping == {"plan": "variable", "timezone": "setting:timezone"}
    columns = columns_of(header, mapping)
    for given_row, cells in zip(rows, written, strict=True):
        back = given_in(columns, cells)
        assert (back.phone_number, back.name) == (
            given_row["phone_number"],
            given_row["name"] or "",
        )
        assert given_row["variables"].items() <= back.variables.items()
        assert back.settings == {"timezone": given_row.get("timezone", "")}
    assert [given_in(columns, cells).ignore_e164_validation for cells in written] == [
        "",
        "maybe",
        "true",
    ]


def test_a_listed_row_whose_end_the_list_does_not_keep_is_not_mended_by_accident() -> None:
    out = io.StringIO(newline="")
    errors = [{"field": "row", "code": "too_many_cells", "message": "Mend it."}]
    with fix_rows() as fixing:
        fixing.add(row(SOUND, errors=errors))
        fixing.write(out)
    header, cells = read(out.getvalue().encode())
    assert header == ["phone_number", PROBLEM]
    assert cells == [SOUND, "Mend it.", "more cells are in line 7 of the file"]


def test_wrong_recipients_of_a_json_body_become_a_file(tmp_path: Path) -> None:
    file, fix = tmp_path / "people.json", tmp_path / "fix.csv"
    people = [{"phone": SOUND}, {"phone": "12-34", "name": "Ann", "variables": {"plan": "A"}}]
    file.write_text(json.dumps({"recipients": people}))
    assert check(file, "--fix", fix) == 1
    header, cells = read(fix.read_bytes())
    assert header == ["phone_number", "name", "plan", PROBLEM]
    assert cells[:3] == ["12-34", "Ann", "A"]


def test_a_template_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recipients.csv"
    for code in (0, 1):
        with pytest.raises(SystemExit) as ended:
            main(["list", "template", str(file)])
        assert ended.value.code == code
    assert "File exists" in capsys.readouterr().err
    assert check(file) == 0
    assert read(file.read_bytes())[0][0] == "phone_number"
