"""Whatever is sent, it is answered in time and by name, and no half of it is ever kept."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk import a_batch
from tests.examples import examples
from tests.list_desk import LISTS, ListDesk, counts, number, people

SECONDS = 10
BOUNDARY = b"b0undary"
CHARSETS = [
    *("utf-8", "UTF8", "latin-1", "utf-16", "utf-7", "punycode", "idna", "undefined"),
    *("unicode_escape", "raw_unicode_escape", "base64", "rot13", "nonsense", "\u00ff"),
]
WORDS = [number(1), number(2), "12-34", "phone", "phone_number", "name", "Plan", "+", "not_before"]
MARKS = list(',,;\t\n\n\r""\\ \0\ufeff\u2028ü\ud7ff\'\x1a\x85😀')
TOKENS = [*WORDS, *MARKS, '""', "\r\n", "=1+1", "sep=;", "x" * 70_000]
CSV = st.one_of(
    st.lists(st.sampled_from(TOKENS)).map(lambda it: "".join(it).encode()),
    st.lists(st.sampled_from(TOKENS)).map(lambda it: ("phone,name\n" + "".join(it)).encode()),
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda it: b"phone,name\n" + it),
    st.sampled_from(["utf-16", "utf-32", "cp1252"]).map("phone\n1ü".encode),
)
ROLES = ["phone_number", "name", "ignored", "variable:x", "setting:language", "variable:", "", "\0"]
MAPPINGS = st.one_of(
    st.dictionaries(st.sampled_from([*WORDS, "", "\0"]), st.sampled_from(ROLES)).map(
        lambda it: json.dumps({"columns": it}).encode()
    ),
    st.sampled_from([b"", b"{", b"null", b'{"columns": {"a": "\\ud800"}}', b"\xff", b"[" * 9_999]),
)
FILE_NAMES = ['; filename="l.csv"', "", "; filename=", "; filename*=utf-8''%ff", '; filename="\\"']
NAMES = [b"file", b"mapping", b"batch", b"other", b"", b"\xff", b"+2AA-", b"\\ud800", b"x" * 9_000]
HEADERS = [b"", b"X: " + b"y" * 20_000, b"X", b": y", b"Content-Type: \xff", b"Content-Length: 3"]


@st.composite
def a_part(draw: st.DrawFn, name: bytes, content: bytes) -> bytes:
    """Mostly as it should be."""
    odd = draw(st.integers(0, 7)) == 0
    name = draw(st.sampled_from(NAMES)) if odd else name
    file_name = FILE_NAMES[0] if name == b"file" else ""
    if odd:
        file_name = draw(st.sampled_from(FILE_NAMES))
    header = draw(st.sampled_from(HEADERS)) if odd else b""
    said = b'Content-Disposition: form-data; name="' + name + b'"' + file_name.encode()
    lines = [b"--" + BOUNDARY, said, *([header] if header else []), b"", content]
    return draw(st.sampled_from([b"\r\n"] * 9 + [b"\n"])).join(lines)


@st.composite
def broken(draw: st.DrawFn, body: bytes) -> bytes:
    """Cut, doubled, or with some bytes of it changed; mostly left as it is."""
    start = draw(st.integers(0, len(body)))
    end = start + draw(st.integers(0, 40))
    return draw(
        st.sampled_from(
            [
                *([body] * 4),
                body[:start],
                body[:start] + body[end:],
                body[:end] + body[start:],
                body[:start] + draw(st.binary(max_size=4)) + body[end:],
                body.replace(BOUNDARY, b"another", 1),
            ]
        )
    )


@st.composite
def a_form(draw: st.DrawFn, names: Sequence[bytes]) -> tuple[bytes, bytes]:
    """A body, and its type."""
    contents = {b"file": CSV, b"mapping": MAPPINGS, b"batch": BATCHES}
    chosen = [*names, *draw(st.lists(st.sampled_from(names), max_size=1))]
    parts = [draw(a_part(name, draw(contents[name]))) for name in chosen]
    body = b"\r\n".join([*parts, b"--" + BOUNDARY + b"--\r\n"])
    kind = b"multipart/form-data; boundary=" + BOUNDARY
    if draw(st.integers(0, 5)) == 0:
        kind += b"; charset=" + draw(st.sampled_from(CHARSETS)).encode("latin-1")
    return draw(broken(body)), kind


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from([number(1), "12-34", "\ud800", "\0", 10**400, "2027-01-01T00:00:00Z"]),
    ),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(st.text(max_size=5), it, max_size=3),
    max_leaves=5,
)
FIELDS = st.dictionaries(
    st.sampled_from(["phone_number", "phone", "name", "variables", "timezone", "not_before", "x"]),
    VALUES,
)
RECIPIENTS = st.lists(
    st.one_of(
        FIELDS,
        VALUES,
        st.just({"phone": number(1), "name": "Ann", "variables": {"plan": "Gold"}}),
        st.just({"phone_number": number(2), "variables": {"a\ud800": "b"}}),
    ),
    max_size=4,
)
BATCHES = st.fixed_dictionaries(
    {},
    optional={
        "recipients": RECIPIENTS | VALUES,
        "recipient_list_id": VALUES | st.just(str(UUID(int=1))),
        "scheduled_at": VALUES,
        "window": VALUES,
        "name": VALUES,
    },
).map(lambda it: json.dumps(a_batch(start=False) | it).encode())


@st.composite
def a_json(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    return draw(broken(json.dumps(draw(values)).encode()))


async def answered(
    lists: ListDesk, method: str, path: str, body: bytes, kind: bytes, key: str = ""
) -> httpx2.Response:
    headers = {b"Content-Type": kind, **({b"Idempotency-Key": key.encode()} if key else {})}
    async with asyncio.timeout(SECONDS):
        answer = await lists.http.request(method, path, content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"]
    return answer


async def sent(lists: ListDesk, into: str, body: bytes, kind: bytes) -> None:
    """As a new list and into one that is there; each is whole, or nothing of it is kept."""
    for path in (LISTS, f"{LISTS}/{into}/rows"):
        kept, before = await lists.kept(), await lists.read(into)
        answer = await answered(lists, "POST", path, body, kind.strip(), str(uuid4()))
        if answer.status_code >= 400:
            assert (await lists.kept(), await lists.read(into)) == (kept, before)
        else:
            await whole(lists, answer)
    await lists.nothing_astray()


async def whole(lists: ListDesk, answer: httpx2.Response) -> None:
    said = answer.json()
    rows = await lists.rows(said["list_id"], limit=500)
    accepted = [row for row in rows if row["state"] == "accepted"]
    called = {row["phone_number"].removeprefix("+") for row in accepted}
    assert counts(said) == (len(accepted), len(rows) - len(accepted), len(accepted) - len(called))
    assert len(said["rejected_sample"]) == min(100, said["rejected"])


@pytest.fixture(scope="module")
async def into(lists: ListDesk) -> str:
    return str((await lists.take(people(1)))["list_id"])


@examples(few=120, many=3_000)
@given(form=a_form([b"file", b"mapping"]) | a_form([b"file"]))
async def test_no_form_breaks_a_list(lists: ListDesk, into: str, form: tuple[bytes, bytes]) -> None:
    await sent(lists, into, *form)


@examples(few=80, many=2_000)
@given(body=a_json(st.fixed_dictionaries({"recipients": RECIPIENTS}) | VALUES) | st.binary())
async def test_no_json_breaks_a_list(lists: ListDesk, into: str, body: bytes) -> None:
    await sent(lists, into, body, b"application/json")


@examples(few=80, many=2_000)
@given(change=a_json(FIELDS))
async def test_no_change_breaks_a_row(lists: ListDesk, into: str, change: bytes) -> None:
    await answered(lists, "PATCH", f"{LISTS}/{into}/rows/1", change, b"application/json")
    [row] = (await lists.page(into, limit=1))["data"]
    assert row["state"] == "accepted"


@examples(few=80, many=2_000)
@given(
    form=a_form([b"batch", b"file"]) | BATCHES.map(lambda body: (body, b"application/json")),
    path=st.sampled_from(["/v1/batches", "/v1/batches/preview"]),
)
async def test_no_body_breaks_a_batch(
    lists: ListDesk, form: tuple[bytes, bytes], path: str
) -> None:
    count = "SELECT count(*) FROM batches"
    before = await lists.desk.pool.fetchval(count)
    answer = await answered(lists, "POST", path, *form)
    made = int(answer.status_code == 202)
    assert await lists.desk.pool.fetchval(count) == before + made
    await lists.nothing_astray()


@examples(few=80, many=2_000)
@given(
    kind=st.binary(max_size=60).map(lambda it: bytes(b for b in it if 0x20 < b != 0x7F)),
    body=CSV,
)
async def test_no_kind_of_body_breaks_a_list(
    lists: ListDesk, into: str, kind: bytes, body: bytes
) -> None:
    for prefix in (b"", b"multipart/form-data; ", b"multipart/form-data; boundary="):
        await sent(lists, into, body, prefix + kind)
