"""A row that is mended moves to those accepted; one that is still wrong stays just as it was."""

from typing import Any

import pytest

from tests.desk import Json, codes
from tests.list_desk import ListDesk, counts, file, number, people, person, row_codes

HEADER = "phone,name,flag,plan,zone"
MAPPING = {"flag": "ignore_e164_validation", "zone": "setting:timezone"}


async def wrong(lists: ListDesk) -> str:
    """Row 1 is called, row 2 is wrong in three ways."""
    lines = [f"{number(1)},Ann,,Gold,", "12-34,Bob,perhaps,Blue,Mars/Base"]
    answer = await lists.take(file(HEADER, *lines, mapping=MAPPING))
    assert counts(answer) == (1, 1, 0)
    assert row_codes(answer["rejected_sample"][0]) == [
        "phone_not_digits",
        "ignore_flag_invalid",
        "timezone_unknown",
    ]
    return str(answer["list_id"])


RIGHT: dict[str, Any] = {
    "phone_number": number(1)[1:],
    "ignore_e164_validation": False,
    "timezone": "Europe/Paris",
    "variables": {"plan": "Green"},
}


async def test_a_mended_row_is_accepted_and_the_counts_follow(lists: ListDesk) -> None:
    into = await wrong(lists)
    answer = await lists.mend(into, 2, **RIGHT)
    assert answer.status_code == 200, answer.text
    row = answer.json()
    assert row.pop("list") == {"accepted": 2, "rejected": 0, "duplicates": 1}
    assert (row["state"], row["errors"], row["row"], row["line"]) == ("accepted", [], 2, 3)
    assert (row["phone_number"], row["name"]) == (number(1), "Bob")
    assert (row["timezone"], row["variables"]) == ("Europe/Paris", {"plan": "Green"})
    assert [it["code"] for it in row["warnings"]] == ["plus_assumed", "duplicate_number"]
    assert (await lists.rows(into))[1] == row
    assert counts(await lists.read(into)) == (2, 0, 1)
    assert await lists.rows(into, state="rejected") == []


async def test_a_dry_run_says_what_would_be_and_saves_nothing(lists: ListDesk) -> None:
    into = await wrong(lists)
    before, rows = await lists.read(into), await lists.rows(into)
    answer = await lists.mend(into, 2, dry_run=True, **RIGHT)
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    still = await lists.mend(into, 2, dry_run=True, phone_number="12")
    assert still.status_code == 422
    assert (await lists.read(into), await lists.rows(into)) == (before, rows)


async def test_a_row_that_is_still_wrong_is_told_all_of_it_and_stays(lists: ListDesk) -> None:
    into = await wrong(lists)
    rows = await lists.rows(into)
    answer = await lists.mend(into, 2, phone_number="+1", timezone=None)
    assert answer.status_code == 422
    assert answer.json()["code"] == "phone_too_short"
    assert codes(answer) == ["phone_too_short", "ignore_flag_invalid"]
    assert {it["row"] for it in answer.json()["errors"]} == {2}
    accepted = await lists.mend(into, 1, phone_number="", webhook_url="x", not_before="y")
    assert sorted(codes(accepted)) == ["not_before_invalid", "phone_missing", "webhook_url_invalid"]
    assert await lists.rows(into) == rows


async def test_the_keys_of_a_row_are_those_it_came_with(lists: ListDesk) -> None:
    into = await wrong(lists)
    rows = await lists.rows(into)
    answer = await lists.mend(into, 1, variables={"plan": "x", "colour": "red", "1 2": "y"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_variable")
    assert codes(answer) == ["unknown_variable"] * 2
    assert answer.json()["errors"][0]["field"] == "variables.colour"
    assert await lists.rows(into) == rows


async def test_what_is_not_given_stays_and_null_takes_away(lists: ListDesk) -> None:
    row = person(1, language="en", first_message="Hello", variables={"a": "1", "b": "2"})
    into = (await lists.take({"json": {"recipients": [row]}}))["list_id"]
    before = (await lists.rows(into))[0]
    assert (await lists.mend(into, 1)).json() | {"list": None} == before | {"list": None}
    answer = await lists.mend(into, 1, name=None, language=None, variables={"b": None})
    assert answer.status_code == 200, answer.text
    after = (await lists.rows(into))[0]
    assert after == before | {"name": None, "language": None, "variables": {"a": "1", "b": ""}}


async def test_a_typed_row_takes_settings_it_did_not_have(lists: ListDesk) -> None:
    into = (await lists.take(people(1)))["list_id"]
    settings: Json = {"not_before": "2027-01-31T09:00:00Z", "webhook_url": "https://example.com/x"}
    assert (await lists.mend(into, 1, **settings)).status_code == 200
    row = (await lists.rows(into))[0]
    assert {name: row[name] for name in settings} == settings


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"colour": "red"}, "unknown_field"),
        ({"phone_number": 3}, "field_invalid"),
        ({"variables": None}, "field_invalid"),
        ({"name": "a\0b"}, "name_invalid"),
        ({"from_number": "+442079460001"}, "from_number_invalid"),
    ],
)
async def test_a_change_of_another_form_is_refused(lists: ListDesk, change: Any, code: str) -> None:
    into = (await lists.take(file("phone,plan", f"{number(1)},x")))["list_id"]
    answer = await lists.mend(into, 1, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_a_row_of_too_many_cells_is_mended_by_its_cells(lists: ListDesk) -> None:
    into = (await lists.take(file("phone,plan", f"{number(1)},x,y")))["list_id"]
    assert row_codes((await lists.rows(into))[0]) == ["too_many_cells"]
    assert (await lists.mend(into, 1, variables={"plan": "x,y"})).status_code == 200
    assert counts(await lists.read(into)) == (1, 0, 0)


async def test_whose_number_comes_twice_follows_every_change(lists: ListDesk) -> None:
    first = await lists.take(file("phone", number(1), number(1)[1:], "x"))
    into = first["list_id"]
    assert counts(first) == (2, 1, 1)
    mended = await lists.mend(into, 3, phone_number=number(1))
    assert mended.json()["list"] == {"accepted": 3, "rejected": 0, "duplicates": 2}
    moved = await lists.mend(into, 1, phone_number=number(2))
    assert moved.json()["list"] == {"accepted": 3, "rejected": 0, "duplicates": 1}
    assert not moved.json()["warnings"]
    await lists.remove(into, 2)
    assert counts(await lists.read(into)) == (2, 0, 0)
    again = await lists.take(people(2, 1), into)
    assert counts(again) == (4, 0, 2)
    warned = {it["row"]: it["warnings"] for it in await lists.rows(into) if it["warnings"]}
    assert {row: it["message"].split()[1] for row, [it] in warned.items()} == {4: "1", 5: "3"}
