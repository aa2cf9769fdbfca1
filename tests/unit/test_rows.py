"""Who is called and who is not, row by row, with a message that says what to do."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st
from phonenumbers.timezone import time_zones_for_number

from services.ingest.reading.columns import FileRefusedError, columns_of
from services.ingest.reading.phone import zones_of
from services.ingest.reading.policy import ANYONE
from services.ingest.reading.rows import CheckedRow, Given, check_row, given_in


def check(phone: str = "+12025551234", **given: Any) -> CheckedRow:
    return check_row(1, 2, Given(phone, **given), ANYONE)


def codes(row: CheckedRow) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in row.errors]


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "phone_missing"),
        ("  \t", "phone_missing"),
        ("1.2025551234E+10", "phone_scientific_notation"),
        ("1,2E10", "phone_scientific_notation"),
        ("+1 202 555 1234", "phone_not_digits"),
        ("+1-202-555-1234", "phone_not_digits"),
        ("(202)5551234", "phone_not_digits"),
        ("'+12025551234", "phone_not_digits"),
        ("12025551234.0", "phone_not_digits"),
        ("++12025551234", "phone_not_digits"),
        ("12025551234+", "phone_not_digits"),
        ("+", "phone_not_digits"),
        ("٠١٢٣٤٥٦٧٨", "phone_not_digits"),
        ("call me", "phone_not_digits"),
        ("+33612", "phone_too_short"),
        ("123456", "phone_too_short"),
        ("+1234567", "phone_not_e164"),
        ("0612345678", "phone_not_e164"),
        ("0033612345678", "phone_not_e164"),
        ("+19995551234", "phone_not_e164"),
        ("+999999999999", "phone_not_e164"),
        ("1" * 40, "phone_not_e164"),
    ],
)
def test_a_wrong_number_is_refused_as_it_was_written_with_what_to_do(
    written: str, code: str
) -> None:
    row = check(written)
    assert not row.accepted
    assert codes(row) == [("phone_number", code)]
    assert row.phone_number == written
    assert row.errors[0].message.endswith(".")
    assert row.zones == ()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("'+12025551234", "apostrophe"),
        ("\u201912025551234", "apostrophe"),
        ("\uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff11\uff12\uff13\uff14", "full-width"),
        ("\u0661\u0662\u0660\u0662\u0665\u0665\u0665\u0661", "another script"),
        ("+1\u00a0202\u00a0555\u00a01234", "cannot be seen"),
        ("\u202a+12025551234\u202c", "cannot be seen"),
        ("+1 202-555-1234", "spaces, dashes"),
    ],
)
def test_what_a_spreadsheet_left_in_a_number_is_named(written: str, words: str) -> None:
    row = check(written)
    assert codes(row) == [("phone_number", "phone_not_digits")]
    assert words in row.errors[0].message


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("+12025551234", "+12025551234"),
        (" +33612345678 ", "+33612345678"),
        ("+390612345678", "+390612345678"),  # the zero of Rome belongs to the number
        ("+4407911123456", "+447911123456"),  # the zero of Britain does not
    ],
)
def test_a_valid_number_is_dialled_in_e164(written: str, dialled: str) -> None:
    row = check(written)
    assert row.accepted
    assert row.phone_number == dialled
    assert row.warnings == ()


def test_a_lost_plus_is_assumed_with_a_warning_that_names_the_country() -> None:
    row = check("12025551234")
    assert row.accepted
    assert row.phone_number == "+12025551234"
    (warning,) = row.warnings
    assert (warning.field, warning.code) == ("phone_number", "plus_assumed")
    assert "United States (US)" in warning.message


def test_a_number_of_no_country_is_called_an_international_service() -> None:
    row = check("80012345678")
    assert "an international service" in row.warnings[0].message
    assert row.zones == ()


# --- the flag ---------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["true", " TRUE ", "Yes", "1", True])
def test_a_row_that_ignores_e164_keeps_its_digits_as_they_are(flag: str | bool) -> None:  # noqa: FBT001 - the parameter of the test
    for digits in ("1234567890", "+1234567", "0612345678"):
        row = check(digits, ignore_e164_validation=flag)
        assert row.accepted
        assert row.ignore_e164_validation is True
        assert row.phone_number == digits
        assert row.warnings == ()


@pytest.mark.parametrize("flag", ["false", "No", "0", "", "  ", False])
def test_a_row_that_does_not_ignore_e164_is_held_to_it(flag: str | bool) -> None:  # noqa: FBT001 - the parameter of the test
    row = check("1234567", ignore_e164_validation=flag)
    assert row.ignore_e164_validation is False
    assert codes(row) == [("phone_number", "phone_not_e164")]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "phone_missing"),
        ("12-34-56-78", "phone_not_digits"),
        ("123456", "phone_too_short"),
        ("1.2E+10", "phone_scientific_notation"),
    ],
)
def test_ignoring_e164_does_not_make_a_number_of_anything(written: str, code: str) -> None:
    row = check(written, ignore_e164_validation="true")
    assert codes(row) == [("phone_number", code)]


def test_ignoring_e164_takes_no_more_digits_than_a_carrier_does() -> None:
    assert check("+" + "1" * 32, ignore_e164_validation=True).accepted
    for digits in (33, 100_000):
        row = check("1" * digits, ignore_e164_validation=True)
        assert codes(row) == [("phone_number", "phone_too_long")]


# --- texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["A\0nn", "A\x01nn", "A\x1bnn", "A\x7fnn"])
def test_a_name_with_a_control_character_is_refused(name: str) -> None:
    assert codes(check(name=name)) == [("name", "name_invalid")]


def test_a_name_of_several_lines_is_a_name() -> None:
    assert check(name="Ann\r\n\tLee").accepted


@pytest.mark.parametrize("variables", [{"city": "Ni\0ce"}, {"ci\0ty": "Nice"}])
def test_a_variable_with_a_nul_is_refused(variables: dict[str, str]) -> None:
    assert codes(check(variables=variables)) == [("variables", "variable_invalid")]


@pytest.mark.parametrize("flag", ["y", "maybe", "2", "on"])
def test_another_spelling_of_the_flag_is_refused(flag: str) -> None:
    row = check(ignore_e164_validation=flag)
    assert codes(row) == [("ignore_e164_validation", "ignore_flag_invalid")]
    assert row.ignore_e164_validation is None


def test_every_error_of_every_field_is_said_at_once() -> None:
    row = check(
        "abc", ignore_e164_validation="perhaps", settings={"timezone": "Mars", "language": "?"}
    )
    assert codes(row) == [
        ("phone_number", "phone_not_digits"),
        ("ignore_e164_validation", "ignore_flag_invalid"),
        ("timezone", "timezone_unknown"),
        ("language", "language_invalid"),
    ]


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written", "code"),
    [
        ("not_before", "2027-01-31T09:00:00", "not_before_invalid"),  # no offset
        ("not_before", "2027-01-31", "not_before_invalid"),
        ("not_before", "tomorrow", "not_before_invalid"),
        ("not_before", "0001-01-01T00:00:00+14:00", "not_before_invalid"),
        ("not_before", "9999-12-31T23:59:59Z", "not_before_invalid"),
        ("not_before", "9999-12-31T23:59:59-12:00", "not_before_invalid"),
        ("timezone", "Europe/Atlantis", "timezone_unknown"),
        ("timezone", "recipient", "timezone_unknown"),
        ("from_number", "0612345678", "from_number_invalid"),
        ("language", "French!", "language_invalid"),
        ("webhook_url", "example.com/calls", "webhook_url_invalid"),
        ("webhook_url", "ftp://example.com/calls", "webhook_url_invalid"),
        ("webhook_url", "https://example.com/\0calls", "webhook_url_invalid"),
        ("first_message", "Hello\0", "first_message_invalid"),
    ],
)
def test_a_wrong_setting_is_refused_under_its_own_code(name: str, written: str, code: str) -> None:
    assert codes(check(settings={name: written})) == [(name, code)]


def test_settings_are_read_and_blank_ones_are_not_set() -> None:
    row = check(
        settings={
            "not_before": "2027-01-31T09:00:00+01:00",
            "timezone": " ",
            "from_number": "33612345678",
            "language": "pt-BR",
            "first_message": "Hello {{name}}",
            "webhook_url": "https://example.com/calls?a=b",
        }
    )
    assert row.accepted
    assert row.settings.not_before == datetime(2027, 1, 31, 8, tzinfo=UTC)
    assert row.settings.timezone is None
    assert row.settings.from_number == "+33612345678"
    assert row.settings.language == "pt-BR"
    assert row.settings.first_message == "Hello {{name}}"
    assert row.settings.webhook_url == "https://example.com/calls?a=b"


# --- zones ------------------------------------------------------------------------------------


def test_a_number_is_judged_by_every_zone_it_may_be_in() -> None:
    assert zones_of("+33612345678") == ("Europe/Paris",)
    assert zones_of("+12025551234") == ("America/New_York",)
    assert {"America/New_York", "America/Los_Angeles"} < set(zones_of("+18002345678"))
    assert zones_of("+80012345678") == ()
    assert zones_of("not a number") == ()
    assert check("+12025551234").zones == ("America/New_York",)


@for_all(number=st.from_regex(r"\+[1-9][0-9]{6,13}", fullmatch=True))
@example("+41446681800")
@example("+61412345678")
@example("+97699112233")
@example("+5491123456789")
@example("+4407911123456")
@example("+390612345678")
def test_the_zones_of_a_number_are_those_the_library_knows(number: str) -> None:
    parsed = None
    with suppress(phonenumbers.NumberParseException):
        parsed = phonenumbers.parse(number)
    valid = parsed if parsed and phonenumbers.is_valid_number(parsed) else None
    known = time_zones_for_number(valid) if valid else ()
    assert zones_of(number) == tuple(zone for zone in known if zone != "Etc/Unknown")


def test_a_zone_the_row_names_wins_over_those_of_its_number() -> None:
    assert check("+12025551234", settings={"timezone": "Asia/Tokyo"}).zones == ("Asia/Tokyo",)


def test_digits_without_a_plus_say_nothing_of_their_zone_when_e164_is_ignored() -> None:
    assert check("12025551234", ignore_e164_validation="1").zones == ()
    assert check("+12025551234", ignore_e164_validation="1").zones == ("America/New_York",)


# --- columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["phone_number", "Phone Number", "phoneNumber", " PHONE-NUMBER ", "phone", "Phone"]
)
def test_the_number_is_found_however_its_column_is_spelled(header: str) -> None:
    (column,) = columns_of([header])
    assert (column.role, column.word) == ("phone_number", "phone_number")


@pytest.mark.parametrize("header", ["ignoreE164Validation", "ignore_e164_validation"])
def test_every_cell_goes_where_its_column_says(header: str) -> None:
    columns = columns_of(
        ["Name", "phone", header, "Plan", "request_data.city", "Dynamic_Vars.name", ""]
    )
    assert [column.word for column in columns] == [
        "name",
        "phone_number",
        "ignore_e164_validation",
        "variable",
        "variable:city",
        "variable:name",
        "ignored",
    ]
    given = given_in(columns, ["Ann", "1234567", "yes", "Pro", "Nice", "A.", "x"])
    row = check_row(7, 9, given, ANYONE)
    assert (row.row, row.line, row.name, row.accepted) == (7, 9, "Ann", True)
    assert row.variables == {"Plan": "Pro", "city": "Nice", "name": "A."}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (["phone", "phone_number"], "csv_duplicate_column"),
        (["phone", "plan", "Plan "], "csv_duplicate_column"),
        (["phone", "first name", "First_Name"], "csv_duplicate_column"),
        (["phone", "city", "request_data.city"], "csv_duplicate_column"),
        (["name", "mobile"], "csv_no_phone_column"),
        (["+12025551234", "Ann"], "csv_no_phone_column"),
        (["phone", *(f"v{n}" for n in range(1_000))], "csv_too_many_columns"),
    ],
)
def test_a_header_that_could_be_misread_is_refused(header: list[str], code: str) -> None:
    with pytest.raises(FileRefusedError) as refusal:
        columns_of(header)
    assert refusal.value.code == code


def test_a_thousand_columns_are_taken() -> None:
    assert len(columns_of(["phone", *(f"v{n}" for n in range(999))])) == 1_000


def test_columns_without_a_name_are_passed_over_however_many() -> None:
    assert [column.word for column in columns_of(["phone", "", " "])][1:] == ["ignored", "ignored"]


@for_all(
    phone=st.text() | st.from_regex(r"\+?[0-9]{5,16}", fullmatch=True),
    flag=st.text() | st.sampled_from(["true", "false"]),
    settings=st.dictionaries(
        st.sampled_from(["not_before", "timezone", "from_number", "language", "webhook_url"]),
        st.text(),
    ),
)
def test_whatever_is_written_the_row_is_accepted_or_told_why(
    phone: str, flag: str, settings: dict[str, str]
) -> None:
    row = check(phone, ignore_e164_validation=flag, settings=settings)
    assert row.accepted is (not row.errors)
    if row.accepted:
        assert row.phone_number.lstrip("+").isdigit()
        assert row.ignore_e164_validation or row.phone_number.startswith("+")
    else:
        wrong_number = any(error.field == "phone_number" for error in row.errors)
        assert row.phone_number == phone or not wrong_number
        assert all(error.code and error.message for error in row.errors)


@pytest.mark.parametrize(("text", "fits"), [("x", True), ("\x01", False), ("\u20ac", False)])
def test_a_row_is_as_large_as_the_log_takes_it(text: str, fits: bool) -> None:  # noqa: FBT001
    """Six bytes of JSON for a control character, three for a euro sign, one for a letter."""
    variables = {f"v{n}": text * 60_000 for n in range(3)}
    checked = check_row(1, 2, Given("+12025550123", variables=variables), ANYONE)
    assert checked.accepted is fits
    assert fits or [note.code for note in checked.errors] == ["row_too_large"]
