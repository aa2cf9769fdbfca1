"""The contract as other teams read it: JSON Schema per event version, AsyncAPI 3.0 over all.

Sources: JSON Schema 2020-12; AsyncAPI 3.0.0 with Kafka bindings 0.5.0.  The AsyncAPI document
stands alone: it holds every schema, in keywords that mean the same in JSON Schema draft 7.
"""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from contracts.codec import PASSED_OVER, type_of
from contracts.event import Event
from contracts.topics import SERVICES, TOPIC_OF, TOPICS, Topic

Json = dict[str, Any]

BINDING = "0.5.0"
KEPT_FOR_EVER = {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1}
ABOUT = """\
Everything that happens, as it happened, and kept for ever: start at the first event whenever you
like. CloudEvents 1.0 in binary mode: the metadata are Kafka headers, the body is JSON.

Delivery is at least once. One fact has one `ce_id`: an event with an id you have seen is the same
fact again. Events of one key keep their order; between keys and between topics there is none.
Ignore fields you do not know; `ce_type` ends in the version of its event. Wait at a type you do
not know, unless its header `ce_maybepassedover` is `true`.

A property with `x-sealed-under` holds base64 that only a key opens, which is not in Kafka: numbers,
names, variables and what was said. A deployment may put a prefix before each topic's name."""


def schema_name(event: type[Event]) -> str:
    return f"{event.__name__}.v{event.schema_version}.json"


def schemas() -> dict[str, Json]:
    """File name -> JSON Schema of each event's present version, as it stands in the log."""
    return {
        schema_name(event): {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **event.model_json_schema(mode="serialization"),
            "title": type_of(event),
        }
        for event in TOPIC_OF
    }


def asyncapi(samples: Mapping[type[Event], Json]) -> Json:
    """Every topic as a channel: its writer, key, partitions, headers and events.

    `samples` holds a record of each event: its headers, key and value.
    """
    _, defined = models_json_schema(
        [(event, "serialization") for event in TOPIC_OF],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rollcall events",
            "version": "1.0.0",
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": name, "description": f"Written by {name}."} for name in SERVICES[:3]],
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {f"{topic.writer}.sends.{topic.name}": _sends(topic) for topic in TOPICS},
        "components": {
            "messages": {event.__name__: _message(event, samples[event]) for event in TOPIC_OF},
            "schemas": defined["$defs"],
        },
    }


def _channel(topic: Topic) -> Json:
    return {
        "address": topic.name,
        "title": topic.name,
        "description": (
            f"Written by {topic.writer} alone, keyed by `{topic.key}`; kept for ever, uncompacted."
        ),
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
            for event in topic.events
        },
        "tags": [{"name": topic.writer}],
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": KEPT_FOR_EVER,
                "bindingVersion": BINDING,
            }
        },
    }


def _sends(topic: Topic) -> Json:
    return {
        "action": "send",
        "title": f"{topic.writer} says what has happened",
        "channel": {"$ref": f"#/channels/{topic.name}"},
    }


def _message(event: type[Event], sample: Json) -> Json:
    key = {"type": "string", "description": f"Its `{TOPIC_OF[event].key}`, in UTF-8."}
    return {
        "name": type_of(event),
        "title": event.__name__,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "headers": _headers(event),
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "examples": [{"headers": sample["headers"], "payload": sample["value"]}],
        "bindings": {
            "kafka": {"key": key | {"examples": [sample["key"]]}, "bindingVersion": BINDING}
        },
    }


def _headers(event: type[Event]) -> Json:
    writer = TOPIC_OF[event].writer
    required: Json = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": _text("The fact's own id: the same whenever it is delivered again.", "uuid"),
        "ce_type": {"const": type_of(event)},
        "ce_source": {"const": f"/rollcall/{writer}"},
        "ce_subject": _text("The key."),
        "ce_time": _text("When it was so: `at` of the body.", "date-time"),
        "content-type": {"const": "application/json"},
    }
    if event.may_be_passed_over:
        required[PASSED_OVER] = {"const": "true"}
    traceparent = {"traceparent": _text("W3C Trace Context of what caused it, where it is known.")}
    return {"type": "object", "required": list(required), "properties": required | traceparent}


def _text(description: str, kind: str | None = None) -> Json:
    return {"type": "string", "description": description} | ({"format": kind} if kind else {})
