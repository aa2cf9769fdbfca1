"""A body of any size is read as a whole would be, or refused with the place of its fault."""

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from services.ingest.domain.requests import RecipientRequest
from services.ingest.reading.json_file import Body, given_in_json, read_body, recipients_in
from services.ingest.reading.json_text import MOST_DEPTH, READ_BYTES, BodyRefusedError
from services.ingest.reading.rows import Given

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def read(body: str | bytes, read_bytes: int = READ_BYTES) -> tuple[Body, list[Any] | None]:
    file = io.BytesIO(body.encode() if isinstance(body, str) else body)
    whole = read_body(file, read_bytes)
    if whole.start is None:
        return whole, None
    return whole, list(recipients_in(file, whole.start, read_bytes))


def refusal(body: str | bytes, read_bytes: int = READ_BYTES) -> BodyRefusedError:
    with pytest.raises(BodyRefusedError) as refused:
        read(body, read_bytes)
    return refused.value


@for_all(
    fields=st.dictionaries(TEXT.filter(lambda name: name != "recipients"), VALUE, max_size=3),
    recipients=st.lists(VALUE, max_size=4),
    form=st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (",", ":")}]),
    mark=st.sampled_from(["", "\ufeff"]),
    place=st.integers(0, 3),
    read_bytes=st.integers(1, 30),
)
def test_a_body_is_read_as_it_was_written_in_whatever_blocks_it_comes(
    fields: dict[str, Any],
    recipients: list[Any],
    form: dict[str, Any],
    mark: str,
    place: int,
    read_bytes: int,
) -> None:
    pairs = [*fields.items()]
    pairs.insert(place, ("recipients", recipients))
    body, elements = read(mark + json.dumps(dict(pairs), **form), read_bytes)
    assert body.fields == fields
    assert elements == recipients
    assert body.count == len(recipients)


@pytest.mark.parametrize("read_bytes", range(1, 12))
def test_a_number_is_whole_wherever_a_block_ends(read_bytes: int) -> None:
    _, elements = read('{"recipients": [10, 0.5, -1e+6, 2E2, 3.25e-1,1]}', read_bytes)
    assert elements == [10, 0.5, -1e6, 200.0, 0.325, 1]


ODDS = [*'{}[]",:', "recipients", '"recipients":[', "\\u", "d83d", "\\", "1", "-", ".5", "e9", " "]
ODDS += ["\n", "true", "nul", "l", "NaN", "é", '"a"', '{"a":1}']


@for_all(body=st.lists(st.sampled_from(ODDS), max_size=12).map("".join), cut=st.integers(1, 9))
def test_what_is_no_json_is_refused_and_what_is_json_is_not(body: str, cut: int) -> None:
    def judged(text: str) -> bool:
        try:
            read(text, cut)
        except BodyRefusedError as refused:
            return refused.line is None
        return True

    def is_json(text: str) -> bool:
        try:
            json.dumps(json.loads(text), ensure_ascii=False, allow_nan=False).encode()
        except ValueError:
            return False
        return True

    for text in (body, f'{{"recipients":[{body}]}}'):
        assert judged(text) == is_json(text)


@for_all(body=st.binary(max_size=40), read_bytes=st.integers(1, 9))
def test_no_bytes_bring_the_reader_down(body: bytes, read_bytes: int) -> None:
    with pytest.raises(BodyRefusedError):
        read(b'{"recipients": [' + body + b"x", read_bytes)


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ("", 1, 1),
        ("{", 1, 2),
        ('{"a": 1,}', 1, 9),
        ('{"a": 1}\n\n x', 3, 2),
        ('{"recipients": [\n  {"a": "b},\n]}', 2, 9),
        ('{"recipients": [\n  {}\n  {}]}', 3, 3),
        ('{"recipients": [{}', 1, 19),
        ('\ufeff{"recipients": [1,]}', 1, 19),
        ('{"recipients": [\n1, NaN]}', 2, 4),
        ('{"recipients": [\n1, "\\ud800"]}', 2, 4),
        (b'{"recipients": [\n"\xc3\xa9\xff"]}', 2, 3),
        ('{"a": "tab\there"}', 1, 11),
        ('{"a": ' + "1" * 5_000 + "}", 1, 7),
    ],
)
@pytest.mark.parametrize("read_bytes", [1, 7, READ_BYTES])
def test_a_body_that_is_no_json_names_the_line_and_the_column(
    body: str | bytes, line: int, column: int, read_bytes: int
) -> None:
    refused = refusal(body, read_bytes)
    assert refused.faults[0]["type"] == "json_invalid"
    if not (isinstance(body, bytes) or '"b}' in body):  # there, the block decides what is met first
        assert (refused.line, refused.column) == (line, column)
    assert refused.line == line


@pytest.mark.parametrize("depth", [MOST_DEPTH + 1, 5_000, 100_000])
@pytest.mark.parametrize("around", ["{}", '{{"a": {}}}', '{{"recipients": [{}]}}'])
def test_a_nesting_without_end_is_refused(depth: int, around: str) -> None:
    assert refusal(around.format("[" * depth + "]" * depth)).line == 1


def test_of_two_fields_of_one_name_the_last_is_meant() -> None:
    body, elements = read('{"a": 1, "recipients": [1, 2], "a": 2, "recipients": [3]}')
    assert (body.fields, body.count, elements) == ({"a": 2}, 1, [3])
    body, elements = read('{"recipients": [1], "recipients": null}')
    assert (body.count, elements) == (0, None)


@pytest.mark.parametrize("recipients", ["{}", '"x"', "1", "false"])
def test_recipients_that_are_no_list_are_refused_by_their_name(recipients: str) -> None:
    (fault,) = refusal(f'{{"recipients": {recipients}}}').faults
    assert (fault["loc"], fault["type"]) == (("body", "recipients"), "field_invalid")
    assert refusal(f'{{"recipients": {recipients}').faults[0]["type"] == "json_invalid"


@pytest.mark.parametrize("body", ["[]", "1", "null", '"x"'])
def test_a_body_that_is_no_object_is_refused(body: str) -> None:
    (fault,) = refusal(body).faults
    assert (fault["loc"], fault["type"]) == (("body",), "field_invalid")


def test_a_long_body_takes_no_more_memory_than_a_short_one() -> None:
    recipient = json.dumps({"phone_number": "+12025551234", "variables": {"plan": "x" * 50}})
    file = io.BytesIO(f'{{"recipients": [{",".join([recipient] * 50_000)}]}}'.encode())
    tracemalloc.start()
    body = read_body(file)
    assert body.start is not None
    assert sum(1 for _ in recipients_in(file, body.start)) == body.count == 50_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_text_without_end_is_refused_before_it_fills_the_memory() -> None:
    (fault,) = refusal('{"recipients": ["' + "x" * 20_000_000).faults
    assert fault["type"] == "field_invalid"


# --- a recipient ------------------------------------------------------------------------------

PHONE = st.sampled_from(["phone_number", "phoneNumber", "phone"])
NAMED = st.sampled_from(["name", "ignore_e164_validation", "ignoreE164Validation", "unknown"])
OTHER = st.sampled_from(["variables", "dynamic_vars", "not_before", "timezone", "webhook_url"])
RECIPIENT = st.dictionaries(
    PHONE | NAMED | OTHER,
    TEXT | st.dictionaries(TEXT, TEXT | VALUE, max_size=3) | VALUE,
    max_size=5,
)


@for_all(written=RECIPIENT | VALUE)
def test_a_recipient_is_what_its_form_says_by_whatever_way_it_is_judged(written: Any) -> None:
    try:
        recipient = RecipientRequest.model_validate(written)
    except ValidationError as error:
        faults = [(("body", "recipients", 2, *it["loc"]), it["msg"]) for it in error.errors()]
        with pytest.raises(BodyRefusedError) as refused:
            given_in_json(written, 3)
        told = [(it["loc"], it["msg"]) for it in refused.value.faults]
        assert told == faults
        return
    assert given_in_json(written, 3) == Given(
        recipient.phone_number or "",
        recipient.name or "",
        recipient.ignore_e164_validation,
        recipient.variables,
        {name: text for name, text in recipient.settings() if text is not None},
    )


@pytest.mark.parametrize("flag", [True, "yes", ""])
def test_a_plain_recipient_is_taken_as_it_stands(flag: bool | str) -> None:  # noqa: FBT001
    plain: dict[str, Any] = {"phone_number": "+1", "name": "Ann", "variables": {"plan": "x"}}
    written = plain | {"ignore_e164_validation": flag}
    assert given_in_json(written, 1) == Given("+1", "Ann", flag, {"plan": "x"})


@pytest.mark.parametrize(
    "fields", [{f"k{n}": 1 for n in range(101)}, {"name": "n" * 1024 * 1024}], ids=["many", "long"]
)
def test_all_but_the_recipients_is_short(fields: dict[str, object]) -> None:
    with pytest.raises(BodyRefusedError):
        read_body(io.BytesIO(json.dumps({"recipients": [], **fields}).encode()))
