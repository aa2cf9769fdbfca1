"""The contract as other teams read it: JSON Schema per event version, AsyncAPI 3.0 over all.

Sources: JSON Schema 2020-12; AsyncAPI 3.0.0 with Kafka bindings 0.5.0.
"""

from typing import Any

from contracts.codec import type_of
from contracts.event import Event
from contracts.topics import TOPIC_OF, TOPICS, Topic

Json = dict[str, Any]


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


def asyncapi() -> Json:
    """Every topic as a channel: its writer, key, partitions, headers and events."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rollcall events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in binary mode; JSON bodies; kept for ever.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {
            f"{topic.writer}.sends.{topic.name}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic.name}"},
            }
            for topic in TOPICS
        },
        "components": {"messages": {event.__name__: _message(event) for event in TOPIC_OF}},
    }


def _channel(topic: Topic) -> Json:
    return {
        "address": topic.name,
        "description": f"Written by {topic.writer} alone, keyed by {topic.key}.",
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
            for event in topic.events
        },
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1},
            }
        },
    }


def _message(event: type[Event]) -> Json:
    return {
        "name": type_of(event),
        "summary": (event.__doc__ or "").partition("\n")[0],
        "headers": {
            "type": "object",
            "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
            "properties": {
                "ce_type": {"const": type_of(event)},
                "ce_id": {"type": "string", "format": "uuid"},
                "traceparent": {"type": "string"},
            },
        },
        "payload": {"$ref": f"./{schema_name(event)}"},
    }
