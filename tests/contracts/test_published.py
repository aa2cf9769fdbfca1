"""What other teams are told of the events is true of every event, and needs no other document."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from contracts.codec import type_of
from contracts.event import Event
from contracts.topics import TOPIC_OF, TOPICS
from deploy.export import FOLDER

Json = dict[str, Any]
DOCUMENT: Json = json.loads((FOLDER / "asyncapi.json").read_text())
MESSAGES: Json = DOCUMENT["components"]["messages"]

events = pytest.mark.parametrize("event", TOPIC_OF, ids=lambda event: event.__name__)


def within(part: Any) -> Iterator[Json]:
    """All objects of a document, at any depth."""
    if isinstance(part, dict):
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from within(each)


def found(reference: str) -> Any:
    place: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


def accepts(schema: Json, value: Any) -> bool:
    whole = {"components": DOCUMENT["components"]} | schema
    return jsonschema_rs.validator_for(whole, validate_formats=True).is_valid(value)


def test_the_document_stands_alone() -> None:
    references = [each["$ref"] for each in within(DOCUMENT) if isinstance(each.get("$ref"), str)]
    assert len(references) > 2 * len(TOPIC_OF)
    for reference in references:
        assert found(reference)


def test_every_topic_says_its_writer_key_and_partitions_and_that_it_is_kept_for_ever() -> None:
    assert set(DOCUMENT["channels"]) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        channel = DOCUMENT["channels"][topic.name]
        kafka = channel["bindings"]["kafka"]
        assert f"Written by {topic.writer} alone, keyed by `{topic.key}`" in channel["description"]
        assert kafka["partitions"] == topic.partitions
        assert kafka["topicConfiguration"]["retention.ms"] == -1
        assert set(channel["messages"]) == {event.__name__ for event in topic.events}


@events
def test_every_event_shows_an_example_that_is_as_its_schemas_say(event: type[Event]) -> None:
    message = MESSAGES[event.__name__]
    (example,) = message["examples"]
    assert message["name"] == example["headers"]["ce_type"] == type_of(event)
    assert message["summary"].endswith(".")
    assert accepts(message["headers"], example["headers"])
    assert accepts(message["payload"], example["payload"])
    assert not accepts(message["headers"], example["headers"] | {"ce_id": "first"})
    assert not accepts(message["payload"], example["payload"] | {"at": "today"})


@events
def test_what_is_sealed_is_marked_wherever_it_stands(event: type[Event]) -> None:
    marked = {
        name
        for each in within([found(MESSAGES[event.__name__]["payload"]["$ref"]), *parts(event)])
        for name, field in each.get("properties", {}).items()
        if any("x-sealed-under" in kind for kind in within(field))
    }
    assert marked == SEALED.get(event.__name__, set())


def parts(event: type[Event]) -> list[Json]:
    """What its schema refers to."""
    own = found(MESSAGES[event.__name__]["payload"]["$ref"])
    return [found(each["$ref"]) for each in within(own) if "$ref" in each]


SEALED = {
    "AgentRegistered": {"webhook"},
    "AgentDisabled": {"webhook"},
    "SuppressionAdded": {"reason"},
    "SuppressionRemoved": {"reason"},
    "BatchCreated": {"name", "webhook"},
    "BatchRenamed": {"name"},
    "RecipientsAdded": {"sealed"},
    "RecipientsRejected": {"sealed"},
    "RecipientQueued": {"sealed"},
    "ConversationRecorded": {"sealed"},
}
