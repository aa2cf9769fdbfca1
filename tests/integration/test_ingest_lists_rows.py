"""Rows are found page by page, whatever is added or removed meanwhile, and by name or number."""

import pytest

from tests.desk import Json, codes
from tests.list_desk import ListDesk, counts, file, number, people, person, row_codes


async def mixed(lists: ListDesk, count: int, *, into: str | None = None) -> str:
    """Every third row of it is wrong."""
    lines = [f"{number(n) if n % 3 else 'x'},Person {n}" for n in range(count)]
    return str((await lists.take(file("phone,name", *lines), into))["list_id"])


@pytest.mark.parametrize("limit", [1, 7, 500])
async def test_pages_show_every_row_once_in_order(lists: ListDesk, limit: int) -> None:
    into = await mixed(lists, 20)
    await mixed(lists, 10, into=into)
    rows = await lists.rows(into, limit=limit)
    assert [row["row"] for row in rows] == list(range(1, 31))
    wrong = [n for n in range(1, 31) if (n - 1 if n <= 20 else n - 21) % 3 == 0]
    rejected = await lists.rows(into, state="rejected", limit=limit)
    assert [row["row"] for row in rejected] == wrong
    accepted = await lists.rows(into, state="accepted", limit=limit)
    assert [row["row"] for row in accepted] == [n for n in range(1, 31) if n not in wrong]
    assert {row["state"] for row in rejected} == {"rejected"}
    assert all(row_codes(row) for row in rejected)


async def test_no_row_is_skipped_or_shown_twice_while_the_list_changes(lists: ListDesk) -> None:
    into = await mixed(lists, 2_500)  # several blocks
    seen: list[int] = []
    gone: set[int] = set()
    page = await lists.page(into, limit=400)
    while True:
        seen += [row["row"] for row in page["data"]]
        for row in (seen[-1], seen[-1] + 1, seen[-1] + 2):
            if (await lists.remove(into, row)).status_code == 204 and row > seen[-1]:
                gone.add(row)
        if len(seen) == 400:
            await lists.take(people(1, 2), into)
        if page["next_cursor"] is None:
            break
        page = await lists.page(into, limit=400, cursor=page["next_cursor"])
    assert seen == [row for row in range(1, 2_503) if row not in gone]


async def test_a_page_that_nobody_could_have_asked_for_is_refused(lists: ListDesk) -> None:
    into = await mixed(lists, 3)
    cursor = (await lists.page(into, limit=1))["next_cursor"]
    refused: list[tuple[Json, str]] = [
        ({"state": "mended"}, "filter_invalid"),
        ({"state": ""}, "filter_invalid"),
        ({"limit": 0}, "field_invalid"),
        ({"limit": 501}, "field_invalid"),
        ({"limit": "many"}, "field_invalid"),
        ({"cursor": "nonsense"}, "cursor_invalid"),
        ({"cursor": ""}, "cursor_invalid"),
        ({"cursor": cursor[:-1]}, "cursor_invalid"),
        ({"cursor": "cm93Oi0x"}, "cursor_invalid"),  # row:-1
        ({"cursor": "ünsinn"}, "cursor_invalid"),
        ({"search": "x" * 101}, "field_invalid"),
        ({"sort": "name"}, "unknown_field"),
        ({"offset": 3}, "unknown_field"),
    ]
    for query, code in refused:
        answer = await lists.ask(into, **query)
        assert (answer.status_code, answer.json()["code"]) == (422, code), (query, answer.text)
        assert codes(answer) == [code]


FOUND = {
    "MÜLLER": [1],
    "muller": [1],
    "jose": [2],
    "José": [2],
    "van d": [3],
    " 202 555-0123 ": [1],
    "+1 (202) 555": [1, 2],
    "1.202.555.0124": [2],
    "2025550124": [2],
    "12/34": [3],
    "smith": [4],
    "STRASSE": [4],
    "nobody": [],
    "99999": [],
}


@pytest.fixture(scope="module")
async def searched(lists: ListDesk) -> str:
    rows = [
        person(0, phone_number="+12025550123", name="Anna Müller"),
        person(0, phone_number="12025550124", name="Jose\u0301 Silva"),
        person(0, phone_number="12-34", name="Eve van Dam"),
        person(0, phone_number="", name="Smith, Straße"),
    ]
    return str((await lists.take({"json": {"recipients": rows}}))["list_id"])


@pytest.mark.parametrize("text", FOUND)
async def test_rows_are_found_by_part_of_a_name_or_number(
    lists: ListDesk, searched: str, text: str
) -> None:
    assert [row["row"] for row in await lists.rows(searched, search=text)] == FOUND[text]


async def test_a_blank_search_finds_everybody(lists: ListDesk, searched: str) -> None:
    assert len(await lists.rows(searched, search="  ")) == 4
    found = await lists.rows(searched, search="s", state="rejected")
    assert [row["row"] for row in found] == [4]


async def test_a_removed_row_is_gone_and_nobody_gets_its_number(lists: ListDesk) -> None:
    answer = await lists.take(people(1, 1, 1))
    into = answer["list_id"]
    assert counts(answer) == (3, 0, 2)
    assert (await lists.remove(into, 1)).status_code == 204
    assert counts(await lists.read(into)) == (2, 0, 1)
    [_, third] = await lists.rows(into)
    assert third["warnings"][0]["message"].startswith("Row 2 ")
    gone = [await lists.remove(into, 1), await lists.mend(into, 1, name="Eve")]
    gone += [await lists.remove(into, 4), await lists.remove(into, 2**31 - 1)]
    assert {(it.status_code, it.json()["code"]) for it in gone} == {(404, "row_not_found")}
    for row in (2, 3):
        await lists.remove(into, row)
    empty = await lists.read(into)
    assert (counts(empty), await lists.rows(into)) == ((0, 0, 0), [])
    await lists.take(people(1), into)
    assert [row["row"] for row in await lists.rows(into)] == [4]


async def test_rejected_rows_go_together_and_no_other(lists: ListDesk) -> None:
    into = await mixed(lists, 25_000)  # more blocks than go in a transaction
    accepted = await lists.rows(into, state="accepted", limit=500)
    answer = await lists.http.delete(f"/v1/recipient-lists/{into}/rows?state=rejected")
    assert (answer.status_code, counts(answer.json())) == (200, (len(accepted), 0, 0))
    assert await lists.rows(into, limit=500) == accepted
    for query in ("", "?state=accepted", "?state=none"):
        answer = await lists.http.delete(f"/v1/recipient-lists/{into}/rows{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "filter_invalid")
    assert (await lists.read(into))["accepted"] == len(accepted)


@pytest.mark.parametrize("row", ["0", "-1", "x", str(2**31)])
async def test_what_is_no_row_number_is_refused(lists: ListDesk, row: str) -> None:
    into = await mixed(lists, 2)
    answer = await lists.http.delete(f"/v1/recipient-lists/{into}/rows/{row}")
    assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid")
