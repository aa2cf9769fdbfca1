"""The quick way is never kinder than the whole check: what it passes is accepted, as it stands."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.sealed import digest_of
from services.ingest.reading.columns import SETTINGS, Column, Role
from services.ingest.reading.json_file import given_in_json
from services.ingest.reading.json_text import BodyRefusedError
from services.ingest.reading.plain import plain_fields, plain_number
from services.ingest.reading.policy import Policy, Suppressed
from services.ingest.reading.rows import check_row, given_in

SOUND = ["+12025550123", "+442079460123", "+33142685300", "+819012345678", "+8613812345678"]
ODD = [
    "12025550123",
    "+1 2025550123",
    "+1911",
    "+19005550123",
    "+4990012345",
    "+870773123456",
    "+88216123456",
    "+80012345678",
    "+999123456",
    "\N{FULLWIDTH PLUS SIGN}12025550123",
    "+\N{FULLWIDTH DIGIT ONE}2025550123",
    "+12025550123\n",
    "1.2E+10",
    "",
]
NUMBERS = st.one_of(
    st.sampled_from(SOUND),
    st.sampled_from(SOUND + ODD),
    st.from_regex(r"\+?[0-9]{3,16}", fullmatch=True),
    st.text(max_size=6),
)
FLAGS = st.one_of(st.sampled_from(["", "true", "False", "YES", "0", " no", "maybe"]), st.text())
# a file that holds a NUL is refused whole, before any of its rows is looked at
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
NAMES = st.one_of(st.sampled_from(["", " ", "Ann", "Ann\tB", "\x07", "\n"]), TEXTS)
SETTING = st.one_of(st.just(""), st.sampled_from([" ", "en", "Europe/Paris", "x y"]), TEXTS)
PEPPER = b"pepper"
POLICIES = st.builds(
    Policy,
    st.one_of(st.none(), st.frozensets(st.sampled_from(["US", "CA", "GB", "FR", "JP"]))),
    st.one_of(st.none(), st.just(frozenset[str]())),
    st.lists(st.sampled_from(SOUND)).map(
        lambda numbers: Suppressed.of(PEPPER, [digest_of(PEPPER, it) for it in numbers])
    ),
)
CELLS = {
    "phone_number": NUMBERS,
    "name": NAMES,
    "ignore_e164_validation": FLAGS,
    "variable": TEXTS,
    "ignored": TEXTS,
}


@st.composite
def a_row(draw: st.DrawFn) -> tuple[tuple[Column, ...], list[str]]:
    chosen: list[tuple[Column, st.SearchStrategy[str]]] = [
        (Column("phone", "phone_number"), CELLS["phone_number"])
    ]
    optional: list[Role] = ["name", "ignore_e164_validation", "variable", "ignored"]
    chosen += [
        (Column(role, role, "k" if role == "variable" else ""), CELLS[role])
        for role in optional
        if draw(st.booleans())
    ]
    settings = draw(st.lists(st.sampled_from(SETTINGS), unique=True, max_size=2))
    chosen += [(Column(it, "setting", it), SETTING) for it in settings]
    chosen = draw(st.permutations(chosen))
    return tuple(column for column, _ in chosen), [draw(cells) for _, cells in chosen]


@given(row=a_row(), policy=POLICIES)
def test_a_row_that_passes_quickly_is_accepted_without_a_warning(
    row: tuple[tuple[Column, ...], list[str]], policy: Policy
) -> None:
    columns, cells = row
    number = plain_number(columns, policy)(cells)
    checked = check_row(1, 2, given_in(columns, cells), policy)
    if number is not None:
        assert (checked.errors, checked.warnings) == ((), ())
        assert checked.phone_number == number


ELEMENTS = st.one_of(
    st.fixed_dictionaries(
        {"phone_number": NUMBERS},
        optional={
            "name": st.one_of(NAMES, st.none(), st.just("a\0")),
            "variables": st.one_of(
                st.none(),
                st.dictionaries(st.text(max_size=3), st.one_of(st.text(max_size=3), st.integers())),
            ),
            "ignore_e164_validation": st.one_of(FLAGS, st.booleans()),
            "language": SETTING,
        },
    ),
    st.recursive(st.none() | st.text() | st.integers(), lambda it: st.lists(it, max_size=2)),
)


@given(element=ELEMENTS, policy=POLICIES)
def test_a_recipient_that_passes_quickly_is_accepted_without_a_warning(
    element: Any, policy: Policy
) -> None:
    number = plain_fields(policy)(element)
    if number is None:
        return
    try:
        checked = check_row(1, None, given_in_json(element, 1), policy)
    except BodyRefusedError:
        raise AssertionError(json.dumps(element)) from None
    assert (checked.errors, checked.warnings) == ((), ())
    assert checked.phone_number == number


def test_the_quick_way_is_the_way_of_common_rows() -> None:
    columns = (Column("phone", "phone_number"), Column("name", "name"))
    for number in SOUND:
        assert plain_number(columns, Policy())([number, "Ann"]) == number
        assert plain_fields(Policy())({"phone_number": number, "name": "Ann"}) == number
    for odd in ODD:
        assert plain_number(columns, Policy())([odd, "Ann"]) is None
