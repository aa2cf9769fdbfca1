"""What a column means is what somebody said, else what its name says, and never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.reading.columns import (
    MAX_COLUMNS,
    SETTINGS,
    FileRefusedError,
    columns_of,
    suggestion,
)
from services.ingest.reading.row_settings import READERS


def words(header: list[str], mapping: dict[str, str] | None = None) -> list[str]:
    return [column.word for column in columns_of(header, mapping)]


def refusal(header: list[str], mapping: dict[str, str] | None = None) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as refused:
        columns_of(header, mapping)
    return refused.value


def test_a_mapping_says_what_each_column_is() -> None:
    header = ["Mobile", "Who", "Skip", "City", "Stadt", "Zone", "Notes"]
    mapping = {
        "Mobile": "phone_number",
        "Who": "name",
        "Skip": "ignore_e164_validation",
        "City": "variable",
        "Stadt": "variable:town",
        "Zone": "setting:timezone",
        "Notes": "ignored",
    }
    columns = columns_of(header, mapping)
    assert [column.word for column in columns] == [*mapping.values()]
    assert [column.key for column in columns] == ["", "", "", "City", "town", "timezone", ""]


def test_the_settings_a_column_may_be_are_those_a_row_may_have() -> None:
    assert {*SETTINGS} == {*READERS}
    for name in SETTINGS:
        assert words(["phone", "x"], {"x": f"setting:{name}"}) == [
            "phone_number",
            f"setting:{name}",
        ]


@pytest.mark.parametrize("written", ["Cell Phone", " cell_phone ", "CELL-PHONE", "cell  phone"])
def test_a_header_is_found_however_the_mapping_spells_it(written: str) -> None:
    assert words(["Cell Phone"], {written: "phone_number"}) == ["phone_number"]


def test_what_the_mapping_does_not_name_keeps_its_meaning() -> None:
    header = ["phone", "name", "request_data.plan", ""]
    assert words(header, {"name": "variable"}) == [
        "phone_number",
        "variable",
        "variable:plan",
        "ignored",
    ]


@pytest.mark.parametrize("role", ["phone_number", "name", "ignore_e164_validation"])
def test_what_is_said_counts_more_than_a_name(role: str) -> None:
    header = ["phone_number", "name", "ignore_e164_validation", "Mine"]
    columns = columns_of(header, {"Mine": role})
    by_name = ["variable" if name == role else name for name in header[:3]]
    assert [column.role for column in columns] == [*by_name, role]
    assert {column.key for column in columns if column.role == "variable"} == {role}


def test_a_prefix_is_understood_where_a_column_is_called_a_variable() -> None:
    columns = columns_of(["phone", "Request_Data.city"], {"request_data.city": "variable"})
    assert (columns[1].key, columns[1].word) == ("city", "variable:city")


@pytest.mark.parametrize(
    "mapping",
    [
        {"Fax": "phone_number"},
        {"Phone": "telephone"},
        {"Phone": ""},
        {"Phone": "variable:"},
        {"Phone": "setting:"},
        {"Phone": "setting:colour"},
        {"Phone": "name:x"},
        {"Phone": "phone_number", "phone ": "name"},
        {" ": "variable"},
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused(mapping: dict[str, str]) -> None:
    refused = refusal(["Phone", "City", ""], mapping)
    assert (refused.code, refused.field) == ("mapping_invalid", "mapping")


def test_a_refused_mapping_says_what_there_is() -> None:
    assert "“Fax”" in refusal(["Phone", "City"], {"Fax": "name"}).message
    assert "“City”" in refusal(["Phone", "City"], {"Fax": "name"}).message
    assert "setting:timezone" in refusal(["Phone"], {"Phone": "setting:zone"}).message


@pytest.mark.parametrize(
    "mapping",
    [
        {"a": "phone_number", "b": "phone_number"},
        {"a": "variable:city", "b": "variable:City"},
        {"a": "setting:language", "b": "setting:language"},
        {"a": "variable:b"},
    ],
)
def test_two_columns_that_mean_the_same_are_refused(mapping: dict[str, str]) -> None:
    assert refusal(["phone", "a", "b"], mapping).code == "csv_duplicate_column"


def test_the_column_of_problems_in_a_file_that_comes_back_is_passed_over() -> None:
    assert words(["phone", "rollcall_problem"]) == ["phone_number", "ignored"]
    assert words(["phone", "rollcall_problem"], {"rollcall_problem": "variable"})[1] == "variable"


@pytest.mark.parametrize(
    "header",
    [
        "Mobile",
        "Telefon",
        "Cell phone",
        "Tel.",
        "Téléphone",
        "Handy-Nr",
        "Número",
        "Customer Phone",
    ],
)
def test_where_no_column_is_the_number_the_likeliest_is_named(header: str) -> None:
    refused = refusal(["Full name", header])
    assert refused.code == "csv_no_phone_column"
    assert f'"{header}": "phone_number"' in refused.message
    assert suggestion(["Full name", header]) == {"Full name": "name", header: "phone_number"}


@pytest.mark.parametrize("header", ["City", "Phone type", "Cancelled", "+12025551234", "Hotel"])
def test_what_does_not_look_like_a_number_is_not_taken_for_one(header: str) -> None:
    assert suggestion([header]) == {header: "variable"}
    assert header not in refusal([header]).message


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("Time zone", "setting:timezone"),
        ("timezone", "setting:timezone"),
        ("Not before", "setting:not_before"),
        ("lang", "setting:language"),
        ("Webhook", "setting:webhook_url"),
        ("First message", "setting:first_message"),
        ("Caller ID", "setting:from_number"),
        ("From number", "setting:from_number"),
    ],
)
def test_a_setting_is_suggested_and_never_taken(header: str, word: str) -> None:
    assert words(["phone", header]) == ["phone_number", "variable"]
    assert suggestion(["phone", header]) == {"phone": "phone_number", header: word}


def test_what_is_already_said_is_not_suggested_again() -> None:
    header = ["phone", "Mobile", "Language", "Lang"]
    mapping = {"Lang": "setting:language"}
    assert suggestion(header, columns_of(header, mapping)) == {
        "phone": "phone_number",
        "Mobile": "variable",
        "Language": "variable",
        "Lang": "setting:language",
    }


@given(
    names=st.lists(
        st.sampled_from(["Mobile", "Tel", "Full name", "tz", "Lang", "City", "request_data.x", ""])
        | st.text(max_size=6),
        max_size=8,
        unique=True,
    )
)
def test_a_suggestion_can_be_sent_back_as_it_is(names: list[str]) -> None:
    header = ["phone", *names]
    try:
        columns = columns_of(header)
    except FileRefusedError:  # of two names that are alike
        return
    suggested = suggestion(header, columns)
    assert {*suggested} == {name.strip() for name in header}
    taken = columns_of(header, suggested)
    assert suggestion(header, taken) == suggested


def test_a_header_that_is_too_wide_is_refused() -> None:
    refused = refusal(["phone", *(f"v{n}" for n in range(MAX_COLUMNS))])
    assert refused.code == "csv_too_many_columns"
