"""Event <-> Kafka record, as CloudEvents 1.0 in binary mode, for clients in any language.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from pydantic import ValidationError

from contracts.event import Event
from contracts.topics import EVENT_OF

Headers = Iterable[tuple[str, bytes]] | Mapping[str, bytes]
Json = dict[str, Any]

PASSED_OVER = "ce_maybepassedover"
_VERSION = re.compile(r"v[1-9][0-9]{0,5}")
_NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")


class UnknownEventError(Exception):
    """One of ours, but newer than this reader: wait for the upgrade, or pass over if it allows."""

    def __init__(self, message: str, *, may_be_passed_over: bool) -> None:
        super().__init__(message)
        self.may_be_passed_over = may_be_passed_over


class MalformedEventError(Exception):
    """Not one of ours, or not as its type promises.  The message never holds the content."""


@dataclass(frozen=True, slots=True)
class Encoded:
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


Upcaster = Callable[[Json], Json]


def _completed_1_to_2(body: Json) -> Json:
    cost = body.get("cost")
    return body | {"cost": None if cost is None else {"amount": cost, "currency": "USD"}}


UPCASTERS: dict[tuple[str, int], Upcaster] = {("CallCompleted", 1): _completed_1_to_2}
"""From a version to the next one; a reader climbs them to the present."""


def type_of(event: Event | type[Event]) -> str:
    """The CloudEvents type, such as `rollcall.BatchCreated.v1`."""
    cls = event if isinstance(event, type) else type(event)
    return f"rollcall.{cls.__name__}.v{cls.schema_version}"


def encode(event: Event, *, source: str, traceparent: str | None = None) -> Encoded:
    """The record of an event; `source` is the service that says it."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event.event_id).encode()),
        ("ce_type", type_of(event).encode()),
        ("ce_source", f"/rollcall/{source}".encode()),
        ("ce_subject", event.key.encode()),
        ("ce_time", event.at.isoformat().replace("+00:00", "Z").encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    if event.may_be_passed_over:
        headers.append((PASSED_OVER, b"true"))
    return Encoded(event.key.encode(), event.model_dump_json().encode(), headers)


def decode(value: bytes | None, headers: Headers) -> Event:
    """The event of a record.  Raises UnknownEventError or MalformedEventError."""
    given = dict(headers)
    name, version = _name_and_version(given.get("ce_type") or b"")
    event = EVENT_OF.get(name)
    if event is None or version > event.schema_version:
        raise UnknownEventError(
            f"{name} v{version} is newer than this reader",
            may_be_passed_over=given.get(PASSED_OVER) == b"true",
        )
    try:
        if version == event.schema_version:
            return event.model_validate_json(value or b"")
        return event.model_validate_json(json.dumps(_climb(event, version, value or b"")))
    except ValidationError as error:
        raise MalformedEventError(f"{name} v{version}: {_places(event, error)}") from None
    except (ValueError, RecursionError):
        raise MalformedEventError(f"{name} v{version}: not JSON") from None


def _places(event: type[Event], error: ValidationError) -> str:
    """Where it does not read so, by our own names alone: those in the record may be anything."""
    ours = _names(event)
    found = error.errors(include_url=False, include_context=False, include_input=False)
    places = {".".join(str(p) for p in e["loc"] if p in ours) or e["type"] for e in found}
    return ", ".join(sorted(places))


@cache
def _names(event: type[Event]) -> frozenset[str]:
    schema = event.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", ()))


@lru_cache(maxsize=256)
def _name_and_version(ce_type: bytes) -> tuple[str, int]:
    match ce_type.decode(errors="replace").split("."):
        case ["rollcall", name, version] if _NAME.fullmatch(name) and _VERSION.fullmatch(version):
            return name, int(version[1:])
        case _:
            raise MalformedEventError("no ce_type of ours")


def _climb(event: type[Event], version: int, value: bytes) -> Json:
    body: Json = json.loads(value)
    if type(body) is not dict:
        raise ValueError("not an object")
    for step in range(version, event.schema_version):
        body = UPCASTERS[event.__name__, step](body)
    return body
