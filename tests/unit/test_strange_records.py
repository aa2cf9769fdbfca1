"""Whatever a record holds, reading it gives an event or says what is wrong: nobody dies of it."""

import json
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from chassis.pages import page_of
from contracts import topics
from contracts.topics import EVENT_OF
from tests.examples import examples

SAMPLE = Path(topics.__file__).parent / "samples" / "CallCompleted.v1.json"
Headers = list[tuple[str, bytes | None]]
OURS: Headers = [("ce_type", b"rollcall.CallCompleted.v1")]

types = st.one_of(
    st.binary(max_size=40),
    st.none(),
    st.builds(
        lambda name, version: f"rollcall.{name}.v{version}".encode(),
        st.sampled_from(sorted(EVENT_OF)),
        st.one_of(st.integers(-1, 10**9), st.text(max_size=5)),
    ),
)
bodies = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["at", "cost", "account_id", "x"]), inner, max_size=3)
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode()),
)


def record(value: bytes | None, headers: Headers) -> ConsumerRecord:
    return ConsumerRecord("rollcall.calls.v1", 0, 7, 0, 0, None, value, None, 0, 0, tuple(headers))


def read(value: bytes | None, headers: Headers) -> str:
    place = TopicPartition("rollcall.calls.v1", 0)
    page = page_of(place, [record(value, headers)], since=7, service="dialer", prefix="")
    assert page.upto == (7 if page.stop else 8)
    return "stopped" if page.stop else "dead" if page.dead else "read"


@given(types, st.binary(max_size=40), bodies)
@examples(few=100, many=5_000)
def test_no_record_brings_a_reader_down(
    ce_type: bytes | None, other: bytes, body: bytes | None
) -> None:
    read(body, [("ce_type", ce_type), ("ce_id", other), ("traceparent", other)])


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"[]", OURS),
        (b"[" * 100_000, OURS),
        (b"{}", [("ce_type", b"rollcall.CallCompleted.v0")]),
        (b"{}", [("ce_type", b"rollcall.CallCompleted.v" + b"9" * 5000)]),
        (b"{}", [("ce_type", None)]),
        (None, OURS),
    ],
)
def test_what_only_looks_like_ours_is_a_dead_letter(value: bytes | None, headers: Headers) -> None:
    assert read(value, headers) == "dead"


@pytest.mark.parametrize("name", ["ce_id", "traceparent"])
@pytest.mark.parametrize("header", [b"\xff", b"not one", b"\x00"])
def test_an_event_under_headers_that_are_not_ours_is_a_dead_letter(
    name: str, header: bytes
) -> None:
    sample = json.loads(SAMPLE.read_text())
    body = json.dumps(sample["value"]).encode()
    given = {key: value.encode() for key, value in sample["headers"].items()}
    assert read(body, list(given.items())) == "read"
    assert read(body, list((given | {name: header}).items())) == "dead"
