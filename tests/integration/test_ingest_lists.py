"""A list is taken whole or not at all, and its sender is told what is wrong with each row."""

import json
from typing import Any
from uuid import UUID

import pytest

from chassis.vault import list_scope
from services.ingest.lists.opening import Lists
from services.ingest.uploading.sweeper import Sweeper
from tests.list_desk import LISTS, ListDesk, counts, file, form, number, people, person, row_codes

WRITTEN: list[tuple[str, str, str]] = [
    (number(1), "Ann", "false"),
    ("12025550123", "no plus", ""),
    ("", "nobody", ""),
    ("12-34", "dashes", ""),
    ("+1", "short", ""),
    ("+19995550123", "no such", ""),
    ("1.2E+10", "spreadsheet", ""),
    (number(1), "Ann again", "no"),
    ("+4990012345", "costly", "yes"),
    (number(2), "flag", "perhaps"),
    ("0015550123", "as it is", "yes"),
]


async def test_a_file_and_a_body_of_the_same_rows_are_judged_alike(lists: ListDesk) -> None:
    header = "phone_number,name,ignore_e164_validation"
    from_file = await lists.take(file(header, *map(",".join, WRITTEN)))
    fields = header.split(",")
    typed = [dict(zip(fields, row, strict=True)) for row in WRITTEN]
    from_body = await lists.take({"json": {"recipients": typed}})
    for answer in (from_file, from_body):
        assert counts(answer) == (4, 7, 1)
    assert [it["role"] for it in from_file["columns"]] == fields
    assert from_body["columns"] == []
    seen = []
    for answer in (from_file, from_body):
        rows = await lists.rows(answer["list_id"])
        assert [row["row"] for row in rows] == list(range(1, len(WRITTEN) + 1))
        rejected = [row for row in rows if row["state"] == "rejected"]
        assert answer["rejected_sample"] == rejected
        seen.append([{k: v for k, v in row.items() if k != "line"} for row in rows])
    assert seen[0] == seen[1]
    assert [row_codes(row) for row in seen[0]] == [
        [],
        [],
        ["phone_missing"],
        ["phone_not_digits"],
        ["phone_too_short"],
        ["phone_not_e164"],
        ["phone_scientific_notation"],
        [],
        ["destination_blocked"],
        ["ignore_flag_invalid"],
        [],
    ]
    warned = {row["row"]: [it["code"] for it in row["warnings"]] for row in seen[0]}
    assert {row: found for row, found in warned.items() if found} == {
        2: ["plus_assumed"],
        8: ["duplicate_number"],
    }
    assert [row["phone_number"] for row in seen[0]][1] == "+12025550123"
    assert [row["phone_number"] for row in seen[0]][10] == "0015550123"


async def test_the_other_names_of_a_recipients_fields_are_known(lists: ListDesk) -> None:
    typed = [
        {"phone": number(1), "dynamic_vars": {"plan": "Gold", "left": 3}},
        {"phoneNumber": number(2), "ignoreE164Validation": True, "variables": {"plan": None}},
    ]
    answer = await lists.take({"json": {"recipients": typed}})
    first, second = await lists.rows(answer["list_id"])
    assert (first["phone_number"], first["variables"]) == (number(1), {"plan": "Gold", "left": "3"})
    assert (second["ignore_e164_validation"], second["variables"]) == (True, {"plan": ""})


async def test_a_mapping_says_what_columns_mean(lists: ListDesk) -> None:
    mapping = {
        "Mobile": "phone_number",
        "Who": "name",
        "Plan": "variable:tariff",
        "Ring at": "setting:not_before",
        "Zone": "setting:timezone",
        "Notes": "ignored",
    }
    lines = [
        "Mobile,Who,Plan,Ring at,Zone,Notes,request_data.city",
        f"{number(1)},Ann,Gold,2027-01-31T09:00:00+01:00,Europe/Paris,vip,Bonn",
        f"{number(2)},Bob,Blue,tomorrow,Mars/Base,,",
    ]
    answer = await lists.take(file(*lines, mapping=mapping))
    roles = {it["name"]: it["role"] for it in answer["columns"]}
    assert roles == mapping | {"request_data.city": "variable:city"}
    good, bad = await lists.rows(answer["list_id"])
    assert good["variables"] == {"tariff": "Gold", "city": "Bonn"}
    assert (good["name"], good["timezone"]) == ("Ann", "Europe/Paris")
    assert good["not_before"] == "2027-01-31T09:00:00+01:00"
    assert row_codes(bad) == ["not_before_invalid", "timezone_unknown"]
    assert bad["not_before"] == "tomorrow"
    assert "vip" not in json.dumps([good, bad])


async def test_the_suggestion_can_be_sent_as_the_mapping(lists: ListDesk) -> None:
    lines = ["phone_number,Full name,Plan", f"{number(1)},Ann,Gold"]
    answer = await lists.take(file(*lines))
    suggested = answer["suggestion"]["columns"]
    assert suggested == {"phone_number": "phone_number", "Full name": "name", "Plan": "variable"}
    again = await lists.take(file(*lines, mapping=suggested))
    assert {it["name"]: it["role"] for it in again["columns"]} == suggested


async def test_further_files_and_typed_rows_go_on_in_the_same_list(lists: ListDesk) -> None:
    mapping = {"Mobile": "phone_number"}
    first = await lists.take(file("Mobile,name", f"{number(1)},Ann", "x,Bob", mapping=mapping))
    into = first["list_id"]
    second = await lists.take(file("mobile ,plan", f"{number(1)},Gold", f"{number(2)},Blue"), into)
    assert (second["list_id"], second["created_at"]) == (into, first["created_at"])
    assert counts(second) == (3, 1, 1)
    third = await lists.take({"json": {"recipients": [person(1), {"phone_number": "y"}]}}, into)
    assert counts(third) == (4, 2, 2)
    assert third == await lists.read(into)
    rows = await lists.rows(into)
    assert [(row["row"], row["line"]) for row in rows] == [
        (1, 2), (2, 3), (3, 2), (4, 3), (5, None), (6, None),
    ]  # fmt: skip
    assert [row["row"] for row in third["rejected_sample"]] == [2, 6]
    twins = {row["row"]: row["warnings"] for row in rows if row["warnings"]}
    assert set(twins) == {3, 5}
    assert all(warning["message"].startswith("Row 1 ") for [warning] in twins.values())


async def test_a_new_list_of_numbers_that_all_stand_twice_is_taken_at_once(lists: ListDesk) -> None:
    """Its tables are new, and nothing tells a planner how long they are."""
    lines = [f"{number(n)},Person {n}" for n in range(20_000)]
    answer = await lists.take(file("phone,name", *lines, *lines))
    assert counts(answer) == (40_000, 0, 20_000)
    again = await lists.take(file("phone,name", *lines), answer["list_id"])
    assert counts(again) == (60_000, 0, 40_000)


async def test_the_template_is_a_list_without_an_error(lists: ListDesk) -> None:
    template = await lists.http.get(f"{LISTS}/template.csv")
    assert template.headers["Content-Type"].startswith("text/csv")
    answer = await lists.take(form(template.content))
    assert counts(answer) == (1, 0, 0)
    assert not (await lists.rows(answer["list_id"]))[0]["warnings"]


async def test_a_list_of_which_nobody_can_be_called_is_there_to_be_mended(lists: ListDesk) -> None:
    answer = await lists.take({"json": {"recipients": [{"phone": "x"}] * 130}})
    assert counts(answer) == (0, 130, 0)
    assert [row["row"] for row in answer["rejected_sample"]] == list(range(1, 101))


async def test_the_same_key_gives_the_first_answer_whatever_the_boundary(lists: ListDesk) -> None:
    request = file("phone,name", f"{number(1)},Ann", "x,Bob")
    first = await lists.send(request, key="k1")
    again = await lists.send(request, key="k1")
    assert first.request.headers["Content-Type"] != again.request.headers["Content-Type"]
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    into = first.json()["list_id"]
    added = await lists.send(request, into, key="k2")
    assert (await lists.send(request, into, key="k2")).json() == added.json()
    assert counts(await lists.read(into)) == (2, 2, 1)
    for place in (None, into):
        for key in ("k1", "k2"):
            answer = await lists.send(people(7), place, key=key)
            assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    other = await lists.send(file("phone,name", mapping={"phone": "phone_number"}), key="k1")
    assert other.json()["code"] == "idempotency_key_reused"
    assert counts(await lists.read(into)) == (2, 2, 1)


async def test_a_refusal_leaves_its_key_free(lists: ListDesk) -> None:
    assert (await lists.send(form(b""), key="free")).status_code == 422
    assert (await lists.send(people(1), key="free")).status_code == 201


async def test_a_deleted_list_is_gone_with_all_of_its_rows_and_its_key(lists: ListDesk) -> None:
    answer = await lists.send(people(*range(30)), key="deleted")
    list_id = answer.json()["list_id"]
    assert (await lists.delete(list_id)).status_code == 204
    ground = lists.desk.service.ground
    assert await ground.vault.read(list_scope(answer.json()["list_id"])) is None
    gone: list[Any] = [
        await lists.delete(list_id),
        await lists.http.get(f"{LISTS}/{list_id}"),
        await lists.ask(list_id),
        await lists.mend(list_id, 1, name="Eve"),
        await lists.remove(list_id, 1),
        await lists.send(people(1), list_id),
    ]
    assert {(it.status_code, it.json()["code"]) for it in gone} == {(404, "list_not_found")}
    assert (await lists.send(people(*range(30)), key="deleted")).status_code == 410
    await Sweeper(lists.desk.pool, Lists(lists.desk.pool, ground.vault, ground.seals)).sweep()
    await lists.nothing_astray()


@pytest.mark.parametrize("list_id", [str(UUID(int=1)), "nonsense", "template"])
async def test_a_list_that_never_was_is_not_found(lists: ListDesk, list_id: str) -> None:
    for answer in (await lists.http.get(f"{LISTS}/{list_id}"), await lists.ask(list_id)):
        assert answer.status_code in (404, 422)
        assert answer.json()["code"] in ("list_not_found", "field_invalid")


async def test_nothing_personal_stands_in_any_table(lists: ListDesk) -> None:
    canary, name, plan = "+12027654321", "Canary Birdsong", "yellow feathers"
    refused, header = "12027654321x", "secret header"
    lines = [f"phone,name,{header}", f"{canary},{name},{plan}", f"{refused},{name} 2,{plan} 2"]
    answer = await lists.send(file(*lines), key="canary")
    into = answer.json()["list_id"]
    await lists.send({"json": {"recipients": [person(1, name=name)]}}, into, key="canary too")
    assert (await lists.mend(into, 2, phone_number=canary)).status_code == 200
    batch = {"name": name, "agent_id": "reminders", "recipient_list_id": into, "start": False}
    window = {"start": "00:00", "end": "24:00", "days": ["mon"], "timezone": "UTC"}
    made = await lists.desk.post(batch | {"window": window}, key="canary batch")
    assert made.status_code == 202, made.text
    tables = await lists.desk.pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    rows = [
        str(row[0])
        for (table,) in tables
        for row in await lists.desk.pool.fetch(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608
    ]
    everything = "\n".join(rows)
    assert into in everything
    for word in (canary[1:], name, plan, refused, header):
        assert word not in everything
        assert word.encode().hex() not in everything
