"""Whom nobody calls, whatever a row says, and in however many ways the digits are written."""

import pytest

from contracts.sealed import digest_of
from services.ingest.reading.policy import ANYONE, Policy, Suppressed
from services.ingest.reading.rows import CheckedRow, Given, check_row

PEPPER = b"p" * 32


def check(phone: str, *, ignore: bool = False, policy: Policy = ANYONE) -> CheckedRow:
    return check_row(1, 2, Given(phone, ignore_e164_validation=ignore), policy)


def codes(row: CheckedRow) -> list[str]:
    return [error.code for error in row.errors]


def allowing(*regions: str) -> Policy:
    return Policy(allowed_regions=frozenset(regions))


@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("written", ["911", "112", "+911", "+1911", "1911", "+33112", "00112"])
def test_an_emergency_number_of_any_country_is_never_called(written: str, ignore: bool) -> None:  # noqa: FBT001 - the parameter of the test
    row = check(written, ignore=ignore)
    assert codes(row) == ["destination_blocked"]
    assert "Emergency numbers" in row.errors[0].message


@pytest.mark.parametrize("written", ["12345", "+33612", "123456"])
def test_too_few_digits_are_no_emergency(written: str) -> None:
    assert codes(check(written)) == ["phone_too_short"]
    assert codes(check(written, ignore=True)) == ["phone_too_short"]


@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("+19005551234", "Premium-rate"),
        ("19005551234", "Premium-rate"),
        ("+33899123456", "Premium-rate"),
        ("+979123456789", "Premium-rate"),
        ("+443001234567", None),
        ("+18002345678", None),
        ("+80812345678", "Shared-cost"),
        ("+491806012345", "Shared-cost"),
        ("+870773123456", "Satellite"),
        ("+881612345678", "Satellite"),
        ("881612345678", "Satellite"),
        ("+8821612345678", "Satellite"),
        ("+883510012345678", None),
    ],
)
def test_costly_destinations_are_never_called(
    written: str,
    reason: str | None,
    ignore: bool,  # noqa: FBT001 - the parameter of the test
) -> None:
    row = check(written, ignore=ignore)
    assert codes(row) == (["destination_blocked"] if reason else [])
    assert reason is None or row.errors[0].message.startswith(reason)


@pytest.mark.parametrize(
    "written",
    [
        "0019005551234",
        "01119005551234",
        "001119005551234",
        "+0019005551234",
        "190055512345678",  # with digits too many
        "+1900123456",  # with one too few
        "+19001234567",  # of a range that is not in use
        "0033899",
        "+3389912345",
        "00881612",
        "0118821699",
        "+9791234",
        "+33118218",
        "0049116117",
    ],
)
def test_ignoring_e164_does_not_hide_them(written: str) -> None:
    assert codes(check(written, ignore=True)) == ["destination_blocked"]


@pytest.mark.parametrize(
    "written", ["1234567890", "+1234567", "0612345678", "5551234", "911911911"]
)
def test_digits_that_are_none_of_them_are_called_as_they_are(written: str) -> None:
    row = check(written, ignore=True)
    assert row.accepted
    assert row.phone_number == written


@pytest.mark.parametrize("ignore", [False, True])
def test_only_the_regions_of_the_account_are_called(ignore: bool) -> None:  # noqa: FBT001 - the parameter of the test
    policy = allowing("US", "FR")
    assert check("+12025551234", ignore=ignore, policy=policy).accepted
    assert check("33612345678", ignore=ignore, policy=policy).accepted
    row = check("+4915123456789", ignore=ignore, policy=policy)
    assert codes(row) == ["region_not_allowed"]
    assert "Germany (DE)" in row.errors[0].message
    assert codes(check("+80012345678", ignore=ignore, policy=policy)) == ["region_not_allowed"]


def test_a_neighbour_under_the_same_calling_code_is_another_region() -> None:
    assert codes(check("+15062345678", policy=allowing("US"))) == ["region_not_allowed"]
    assert codes(check("+12423456789", policy=allowing("US", "CA"))) == ["region_not_allowed"]
    assert check("+77011234567", policy=allowing("KZ")).accepted
    assert codes(check("+77011234567", policy=allowing("RU"))) == ["region_not_allowed"]


def test_digits_that_do_not_tell_their_country_are_refused_where_it_matters() -> None:
    for written in ("0612345678", "1234567890", "5551234"):
        row = check(written, ignore=True, policy=allowing("US", "FR"))
        assert codes(row) == ["region_not_allowed"]
        assert "do not tell their country" in row.errors[0].message


def test_a_number_that_is_not_valid_is_where_its_calling_code_is() -> None:
    assert check("+331234567890123", ignore=True, policy=allowing("FR")).accepted
    assert check("00331234567890123", ignore=True, policy=allowing("FR")).accepted
    assert codes(check("+491", ignore=True, policy=allowing("FR"))) == ["phone_too_short"]
    row = check("+4912345678901234567", ignore=True, policy=allowing("FR"))
    assert "Germany (DE)" in row.errors[0].message


def test_an_account_with_no_region_left_calls_nobody() -> None:
    assert codes(check("+12025551234", policy=allowing())) == ["region_not_allowed"]


def test_all_that_speaks_against_a_number_is_said_at_once() -> None:
    suppressed = Suppressed.of(PEPPER, [digest_of(PEPPER, "+19005551234")])
    policy = Policy(allowed_regions=frozenset({"FR"}), suppressed=suppressed)
    assert codes(check("+19005551234", policy=policy)) == [
        "destination_blocked",
        "region_not_allowed",
        "suppressed",
    ]


@pytest.mark.parametrize(
    ("written", "ignore"),
    [
        ("+12025551234", False),
        ("12025551234", False),
        ("+12025551234", True),
        ("12025551234", True),
        ("0012025551234", True),
        ("01112025551234", True),
        ("+112025551234", True),  # with the national prefix in it
    ],
)
def test_a_suppressed_number_is_not_called_however_it_is_written(
    written: str,
    ignore: bool,  # noqa: FBT001 - the parameter of the test
) -> None:
    policy = Policy(suppressed=Suppressed.of(PEPPER, [digest_of(PEPPER, "+12025551234")]))
    row = check(written, ignore=ignore, policy=policy)
    assert codes(row) == ["suppressed"]
    assert "suppression list" in row.errors[0].message
    assert check("+12025551235", ignore=ignore, policy=policy).accepted


def test_a_caller_id_is_one_of_the_accounts_where_they_are_known() -> None:
    given = Given("+12025551234", settings={"from_number": "+442079460000"})
    assert check_row(1, 2, given, Policy(caller_ids=frozenset({"+442079460000"}))).accepted
    assert check_row(1, 2, given, Policy(caller_ids=None)).accepted
    row = check_row(1, 2, given, Policy(caller_ids=frozenset({"+442079460001"})))
    assert [(it.field, it.code) for it in row.errors] == [("from_number", "from_number_invalid")]
