"""What is refused leaves nothing behind: no list, no file, no row of one and no key."""

import gzip

import pytest

from tests.desk import Json, codes
from tests.list_desk import LISTS, ListDesk, counts, file, form, number, people, person


@pytest.mark.parametrize(
    "part",
    [
        '{"columns": {"Nowhere": "name"}}',
        '{"columns": {"name": "nonsense"}}',
        '{"columns": {"name": "setting:colour"}}',
        '{"columns": {"name": 3}}',
        '{"columns": []}',
        '{"headers": {}}',
        "{",
        "",
    ],
)
async def test_a_mapping_that_cannot_be_followed_is_refused(lists: ListDesk, part: str) -> None:
    request = file("phone_number,name", f"{number(1)},Ann")
    request["files"]["mapping"] = (None, part)
    kept = await lists.kept()
    answer = await lists.send(request)
    assert (answer.status_code, answer.json()["code"]) == (422, "mapping_invalid")
    assert await lists.kept() == kept
    await lists.nothing_astray()


REFUSED: dict[str, tuple[Json, int, str]] = {
    "nobody typed": ({"json": {"recipients": []}}, 422, "no_valid_recipients"),
    "no recipients": ({"json": {}}, 422, "field_invalid"),
    "null for recipients": ({"json": {"recipients": None}}, 422, "field_invalid"),
    "another field": ({"json": {"recipients": [], "name": "x"}}, 422, "unknown_field"),
    "another field of a row": ({"json": {"recipients": [{"fone": "1"}]}}, 422, "unknown_field"),
    "no JSON": ({"content": b"{"}, 400, "body_invalid"),
    "an empty body": ({"content": b""}, 400, "body_invalid"),
    "a broken row far on": (
        {"content": b'{"recipients": [' + b'{"phone": "x"},' * 9000 + b"nope]}"},
        400,
        "body_invalid",
    ),
    "another row far on": (
        {"json": {"recipients": [*([person(1)] * 9000), {"phone": 1}]}},
        422,
        "field_invalid",
    ),
    "an empty file": (form(b""), 422, "csv_empty"),
    "a header alone": (file("phone_number,name"), 422, "csv_empty"),
    "no number": (file("name", "Ann"), 422, "csv_no_phone_column"),
    "two numbers": (file("phone,Phone Number", "1,2"), 422, "csv_duplicate_column"),
    "gzip": (form(gzip.compress(b"phone\n1", mtime=0)), 422, "csv_compressed"),
    "UTF-16": (form("phone\n1".encode("utf-16")), 422, "csv_bad_encoding"),
    "a NUL": (form(b"phone\n1\0"), 422, "csv_nul_byte"),
    "an open quote far on": (
        form(b"phone\n" + b"+12022000001\n" * 40_000 + b'"oh'),
        422,
        "csv_parse_error",
    ),
    "a long cell": (file("phone,x", f"1,{'x' * 65_537}"), 422, "csv_field_too_large"),
    "many columns": (file("phone," + ",".join(map(str, range(1000)))), 422, "csv_too_many_columns"),
    "no file": ({"files": {"mapping": (None, "{}")}}, 422, "field_invalid"),
    "a batch": ({"files": {"file": ("a", b"phone\n1"), "batch": "{}"}}, 422, "unknown_field"),
    "packed": ({"content": b"", "headers": {"Content-Encoding": "gzip"}}, 415, ""),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_refused_leaves_nothing_behind(lists: ListDesk, what: str) -> None:
    request, status, code = REFUSED[what]
    into = (await lists.take(people(1)))["list_id"]
    before, kept = await lists.read(into), await lists.kept()
    for path in (LISTS, f"{LISTS}/{into}/rows"):
        answer = await lists.http.post(path, **request)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == code or not code
    assert (await lists.read(into), await lists.kept()) == (before, kept)
    await lists.nothing_astray()


@pytest.mark.parametrize("over", [0, 1])
async def test_a_file_may_have_fifty_megabytes_and_no_byte_more(lists: ListDesk, over: int) -> None:
    head, cell = f"phone,x\n{number(1)},".encode(), b"x" * 60_000
    line = f"{number(1)},".encode() + cell + b"\n"
    size = 50 * 1024 * 1024 + over
    whole = head + cell + b"\n" + line * 800
    content = whole + b"\n" * (size - len(whole))
    kept = await lists.kept()
    answer = await lists.send(form(content))
    if over:
        assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
        assert await lists.kept() == kept
    else:
        assert counts(answer.json()) == (801, 0, 800)
    await lists.nothing_astray()


async def test_the_errors_of_a_form_name_its_parts(lists: ListDesk) -> None:
    answer = await lists.http.post(LISTS, files={"file": (None, "phone\n1"), "mapping": (None, "")})
    assert (answer.status_code, codes(answer)) == (422, ["field_invalid"])
