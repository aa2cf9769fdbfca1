"""The log cannot be amended: what was written under any version is read today, field for field."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from contracts import topics
from contracts.codec import (
    PASSED_OVER,
    UPCASTERS,
    MalformedEventError,
    UnknownEventError,
    decode,
    encode,
    type_of,
)
from contracts.event import Event
from contracts.published import schema_name
from deploy.export import FOLDER as SCHEMAS

SAMPLES = Path(topics.__file__).parent / "samples"
Json = dict[str, Any]


def sample(name: str) -> Json:
    read: Json = json.loads((SAMPLES / f"{name}.json").read_text())
    return read


def read(sample: Json) -> Event:
    headers = [(name, text.encode()) for name, text in sample["headers"].items()]
    return decode(json.dumps(sample["value"]).encode(), headers)


def of_today(event: type[Event]) -> Json:
    return sample(f"{event.__name__}.v{event.schema_version}")


events = pytest.mark.parametrize("event", topics.TOPIC_OF, ids=lambda event: event.__name__)
every_version = pytest.mark.parametrize("name", sorted(p.stem for p in SAMPLES.glob("*.json")))


@events
def test_a_sample_of_today_is_written_again_to_the_letter(event: type[Event]) -> None:
    golden = of_today(event)
    record = encode(
        read(golden),
        source=topics.TOPIC_OF[event].writer,
        traceparent=golden["headers"]["traceparent"],
    )
    assert json.loads(record.value) == golden["value"]
    assert {name: value.decode() for name, value in record.headers} == golden["headers"]
    assert record.key.decode() == golden["key"]
    assert topics.TOPIC_OF[event].name == golden["topic"]


@events
def test_a_sample_holds_every_field_of_its_event(event: type[Event]) -> None:
    def fields(model: type[BaseModel]) -> set[str]:
        return set(model.model_fields)

    assert set(of_today(event)["value"]) == fields(event)


@every_version
def test_a_sample_of_any_version_ever_written_is_read(name: str) -> None:
    golden = sample(name)
    event = read(golden)
    assert type(event).__name__ == name.partition(".")[0]
    assert event.key == golden["key"]


@events
def test_the_published_schema_takes_the_sample(event: type[Event]) -> None:
    schema = json.loads((SCHEMAS / schema_name(event)).read_text())
    jsonschema_rs.validator_for(schema).validate(of_today(event)["value"])


@events
def test_every_older_version_has_a_sample_and_a_way_up(event: type[Event]) -> None:
    for version in range(1, event.schema_version):
        assert (event.__name__, version) in UPCASTERS
        assert (SAMPLES / f"{event.__name__}.v{version}.json").exists()


def test_a_cost_without_currency_was_in_us_dollars() -> None:
    event = read(sample("CallCompleted.v1"))
    assert event == read(sample("CallCompleted.v2"))


def test_one_fact_has_one_id_and_two_facts_have_two() -> None:
    ids = {read(of_today(event)).event_id for event in topics.TOPIC_OF}
    assert len(ids) == len(topics.TOPIC_OF)


@events
def test_a_service_cannot_write_to_a_topic_of_another(event: type[Event]) -> None:
    said = read(of_today(event))
    writer = topics.TOPIC_OF[event].writer
    assert topics.topic_for(said, writer=writer).writer == writer
    for other in set(topics.SERVICES) - {writer}:
        with pytest.raises(topics.NotTheWriterError, match=f"{writer} writes it, not {other}"):
            topics.topic_for(said, writer=other)


def test_a_newer_type_waits_unless_it_may_be_passed_over() -> None:
    with pytest.raises(UnknownEventError) as waits:
        decode(b"{}", [("ce_type", b"rollcall.BatchArchived.v1")])
    with pytest.raises(UnknownEventError) as passes:
        decode(b"{}", [("ce_type", b"rollcall.BatchArchived.v1"), (PASSED_OVER, b"true")])
    assert (waits.value.may_be_passed_over, passes.value.may_be_passed_over) == (False, True)


def test_a_newer_version_of_a_known_type_waits() -> None:
    with pytest.raises(UnknownEventError, match="BatchPaused v99"):
        decode(b"{}", [("ce_type", b"rollcall.BatchPaused.v99")])


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"{}", []),
        (b"{}", [("ce_type", b"\xff\xfe")]),
        (b"{}", [("ce_type", b"com.example.Thing.v1")]),
        (None, [("ce_type", b"rollcall.BatchPaused.v1")]),
        (b"not json", [("ce_type", b"rollcall.BatchPaused.v1")]),
        (b"not json", [("ce_type", b"rollcall.CallCompleted.v1")]),
        (b'{"account_id": "+12025550142"}', [("ce_type", b"rollcall.BatchPaused.v1")]),
    ],
)
def test_what_is_not_ours_is_refused_without_a_word_of_its_content(
    value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    with pytest.raises(MalformedEventError) as refused:
        decode(value, headers)
    assert "+12025550142" not in str(refused.value)


@pytest.mark.parametrize("name", ["+12025550142", "\0", "x" * 500_000])
def test_a_foreign_name_in_one_of_our_records_is_not_told(name: str) -> None:
    """It may be a person's number, hold what no database takes, or be longer than any message."""
    golden = sample("BatchCreated.v1")
    window = golden["value"]["window"] | {name: 1}
    with pytest.raises(MalformedEventError) as refused:
        read(golden | {"value": golden["value"] | {"window": window}})
    assert str(refused.value) == "BatchCreated v1: window"


@pytest.mark.parametrize("name", ["+12025550142", "\0", "Batch\nCreated", "", "X" * 100_000])
def test_a_type_that_no_event_of_ours_could_have_holds_nothing_up(name: str) -> None:
    with pytest.raises(MalformedEventError, match="no ce_type of ours"):
        decode(b"{}", [("ce_type", f"rollcall.{name}.v1".encode())])


def test_the_type_names_the_version() -> None:
    event = read(of_today(topics.CALLS.events[2]))
    assert type_of(event) == "rollcall.CallCompleted.v2"
    assert event.at == datetime(2026, 3, 29, 8, tzinfo=UTC)


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+23:59"])
def test_an_instant_that_no_database_could_hold_makes_a_record_malformed(instant: str) -> None:
    golden = sample("BatchCreated.v1")
    for field in ("at", "expires_at"):
        foreign = golden | {"value": golden["value"] | {field: instant}}
        with pytest.raises(MalformedEventError, match=field):
            read(foreign)


def test_an_instant_is_told_in_utc_whatever_zone_it_came_in() -> None:
    golden = sample("BatchCreated.v1")
    told = read(golden | {"value": golden["value"] | {"at": "2026-11-21T01:30:00+02:00"}})
    assert told.at.utcoffset() == timedelta(0)
    assert encode(told, source="ingest").value.count(b'"at":"2026-11-20T23:30:00Z"') == 1
