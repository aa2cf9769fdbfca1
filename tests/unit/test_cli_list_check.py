"""What is wrong with a list is told before it is sent: every fault counted, some of them placed."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from cli.groups import FEW, MESSAGES_APART, Groups

SOUND = "+442079460001"


def check(*words: str | Path) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["list", "check", *map(str, words)])
    return ended.value.code


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def found(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, Any]:
    check(*words, "--json")
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_a_list_without_a_fault_ends_with_0(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f"phone,name\n{SOUND},Ann\n+442079460002,Bob\n")
    assert check(file) == 0
    assert "2 rows: 2 accepted, 0 rejected, 0 with" in capsys.readouterr().out


def test_alike_faults_are_one_group_with_its_first_lines(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [f"020 7946 {n:04}" for n in range(123)]
    file.write_text("\n".join(["phone_number", SOUND, *wrong, "112", SOUND, ""]))
    assert check(file) == 1
    said = capsys.readouterr().out
    assert "      123  phone_number: Use digits only" in said
    assert 'lines 3, 4, 5 and 120 more, such as "020 7946 0000" (phone_not_digits)' in said
    assert 'line 126, such as "112" (destination_blocked)' in said
    assert "126 rows: 2 accepted, 124 rejected, 1 with the number of an earlier row" in said


def test_a_number_is_found_twice_in_whatever_form_it_is_written(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{SOUND},", f"{SOUND[1:]},", f'"{SOUND[1:]}",true', "+442079460002,", "12,true"]
    file.write_text("\n".join(["phone_number,ignore_e164_validation", *rows, ""]))
    told = found(capsys, file)
    assert (told["accepted"], told["duplicates"]) == (4, 2)
    (twins,) = (it for it in told["warnings"] if it["code"] == "duplicate_number")
    assert (twins["rows"], twins["lines"]) == (2, [3, 4])
    (plus,) = (it for it in told["warnings"] if it["code"] == "plus_assumed")
    assert plus["lines"] == [3]


def test_twins_are_found_far_apart(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    between = [f"+44207946{n:04}" for n in range(2, 3000)]
    file.write_text("\n".join(["phone_number", SOUND, *between, SOUND, ""]))
    told = found(capsys, file)
    assert (told["rows"], told["accepted"], told["duplicates"]) == (3000, 3000, 1)
    assert told["warnings"][0]["lines"] == [3001]


def test_only_the_countries_that_are_named_may_be_called(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"phone_number\n{SOUND}\n+12025550123\n")
    assert check(file, "--allowed-region", "gb") == 1
    said = capsys.readouterr().out
    assert "(region_not_allowed)" in said
    assert "2 rows: 1 accepted, 1 rejected" in said
    assert check(file, "--allowed-region", "GB", "--allowed-region", "US") == 0


def test_a_column_is_taken_for_what_the_mapping_says(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"Mobile;Full name;Call=after\n{SOUND};Ann;tomorrow\n")
    assert check(file) == 1
    said = capsys.readouterr().err
    assert "add --mapping Mobile=phone_number" in said.replace("\n", " ")
    told = found(
        capsys, file, "--mapping", "mobile=phone_number", "--mapping",
        "Call=after=setting:not_before",
    )  # fmt: skip
    roles = {it["name"]: it["role"] for it in told["columns"]}
    assert roles == {
        "Mobile": "phone_number",
        "Full name": "variable",
        "Call=after": "setting:not_before",
    }
    assert told["suggestion"]["columns"] == roles | {"Full name": "name"}
    assert (told["errors"][0]["code"], told["errors"][0]["example"]) == (
        "not_before_invalid",
        "tomorrow",
    )
    check(file, "--mapping", "Mobile=phone_number")
    assert "If that is meant, add --mapping 'Full name=name'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"phone_number\n", "Give a header line and at least one row below it."),
        (b"phone_number\n+44\xff\n", "line 2"),
        (b"PK\x03\x04", "Excel workbook"),
        (b'phone_number\n"+442079460001\n', "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_message(
    content: bytes, message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(content)
    fix = file.with_name("fix.csv")
    assert check(file, "--fix", fix) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert check(file, "--json") == 1
    assert message in json.loads(capsys.readouterr().out)["problem"]["title"]


def test_a_file_larger_than_is_taken_is_refused_here_too(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(50 * 1024 * 1024 + 1)
    assert check(file) == 1
    assert "50 MB" in capsys.readouterr().err


def test_a_json_body_is_checked_row_by_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "people.json"
    people = [
        {"phone": SOUND, "dynamic_vars": {"plan": "A"}},
        {"phone_number": "12-34", "timezone": "Mars"},
    ]
    file.write_text(json.dumps({"recipients": people}))
    told = found(capsys, file)
    assert (told["accepted"], told["rejected"]) == (1, 1)
    assert {it["code"]: (it["rows"], it["at_rows"]) for it in told["errors"]} == {
        "phone_not_digits": (1, [2]),
        "timezone_unknown": (1, [2]),
    }
    file.write_text('{"recipients": [{"phone": 7}]}')
    assert check(file) == 1
    assert "recipients.0.phone" in capsys.readouterr().err
    file.write_text('{"recipients": [], "name": "A batch"}')
    assert check(file) == 1
    file.write_text('{"recipients": [')
    assert check(file) == 1
    assert "on line 1 at column 17" in capsys.readouterr().err.replace("\n", " ")


def test_messages_without_number_take_no_more_room_than_a_few() -> None:
    groups = Groups()
    for n in range(10_000):
        groups.add("row", "too_many_cells", f"The row has {n}.", ("line", n + 2))
    assert len(list(groups)) == MESSAGES_APART + 1
    assert sum(group.rows for group in groups) == 10_000
    assert all(len(group.places) <= FEW for group in groups)


@pytest.mark.parametrize(
    ("rows", "where"),
    [(1, "line 2"), (2, "lines 2 and 3"), (3, "lines 2, 3 and 4"), (4, "lines 2, 3, 4 and 1 more")],
)
def test_places_are_named_as_people_name_them(rows: int, where: str) -> None:
    groups = Groups()
    for n in range(rows):
        groups.add("name", "name_invalid", "Mend it.", ("line", n + 2))
    assert [group.where for group in groups] == [where]


@pytest.mark.parametrize(
    "words",
    [
        ["list", "check"],
        ["list", "check", "no.csv"],
        ["list", "check", __file__, "--mapping", "Mobile"],
        ["list", "check", __file__, "--mapping", "A=name", "--mapping", "A=ignored"],
        ["list", "check", __file__, "--allowed-region", "GBR"],
        ["list", "mend", "id", "1", "--set", "plan"],
        ["list", "mend", "id", "one"],
        ["batch", "create", "--agent", "a"],
        ["batch", "create", __file__, "--list", "id", "--agent", "a"],
        ["batch", "preview", "--list", "id", "--agent", "a", "--mapping", "A=name"],
    ],
)
def test_misuse_is_told_before_anything_is_done(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
