"""Each recipient is greeted with their own words, and nobody with anybody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sealed import RecipientSecrets
from services.dialer.placeholders import filled, spoken_with

VARIABLES = {"name": "Ada", "Order No": "17", "day": "Monday"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello {{name}}", "Hello Ada"),
        ("Hello {{ name }}, order {{order no}}", "Hello Ada, order 17"),
        ("{{request_data.day}} or {{dynamic_vars.day}}", "Monday or Monday"),
        ("{{nobody}}Hello", "Hello"),
        ("{{}}{{ }}Hello", "Hello"),
        ("{name} {{name", "{name} {{name"),
        ("no placeholder", "no placeholder"),
    ],
)
def test_a_placeholder_becomes_what_the_recipient_has(text: str, said: str) -> None:
    assert filled(text, VARIABLES) == said


def test_what_a_variable_holds_is_not_read_again() -> None:
    assert filled("Hello {{name}}", {"name": "{{day}}", "day": "Monday"}) == "Hello {{day}}"


def test_the_first_message_is_filled_for_each_call_with_name_and_number_too() -> None:
    secrets = RecipientSecrets(
        phone_number="+12025550123",
        name="Ada",
        variables={"day": "Monday"},
        first_message="{{name}}, {{day}}? I am calling {{phone_number}}.",
    )
    assert spoken_with(secrets) == {
        "name": "Ada",
        "day": "Monday",
        "first_message": "Ada, Monday? I am calling +12025550123.",
    }


def test_a_column_wins_over_what_is_added() -> None:
    secrets = RecipientSecrets(phone_number="+1", name="Ada", variables={"name": "Countess"})
    assert spoken_with(secrets) == {"name": "Countess"}


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_no_text_and_no_variable_is_an_error(text: str, variables: dict[str, str]) -> None:
    filled(text, variables)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["{{" + " " * 200_000 + "x{", "{{" * 100_000, "{{a" * 100_000])
def test_no_message_keeps_a_dialer_busy(text: str) -> None:
    assert filled(text, {}) == text
