"""A record as it stands in the log, for a person to judge: nothing sealed is ever shown."""

import asyncio
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from chassis.dead_letters import Place
from chassis.origins import Origins
from cli.client import RefusedError
from cli.printing import Json
from contracts.published import schemas

WITHIN = 10.0


async def origin(kafka: str, prefix: str, place: Place, *, content: bool) -> Json | None:
    """None: it is no longer there.  Raises RefusedError."""
    try:
        async with asyncio.timeout(WITHIN):
            record = (await Origins(kafka, prefix).records([place])).get(place)
    except (KafkaError, OSError) as error:
        title = f"Kafka at {kafka} does not answer: see `rollcall doctor`."
        raise RefusedError(0, {"title": title}) from error
    return None if record is None else _told(record, content=content)


def _told(record: ConsumerRecord, *, content: bool) -> Json:
    value = record.value or b""
    told: Json = {
        "written": datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(),
        "key_bytes": len(record.key or b""),
        "value_bytes": len(value),
        "headers": {name: _header(name, header) for name, header in record.headers},
    }
    return told | ({"content": _content(value)} if content else {})


def _header(name: str, value: bytes | None) -> str:
    """Ours hold nothing personal; of others nobody knows."""
    if name.startswith("ce_") or name in {"content-type", "traceparent"}:
        return (value or b"").decode(errors="replace")
    return f"{len(value or b'')} bytes"


def _content(value: bytes) -> Any:
    try:
        return _without_seals(json.loads(value))
    except (ValueError, RecursionError):
        return value.decode(errors="replace")


def _without_seals(found: Any) -> Any:
    if isinstance(found, dict):
        hidden = sealed_names()
        return {
            name: "(sealed)" if name in hidden and each is not None else _without_seals(each)
            for name, each in found.items()
        }
    return [_without_seals(each) for each in found] if isinstance(found, list) else found


@cache
def sealed_names() -> frozenset[str]:
    """Of the properties that hold what only a key opens, in any event."""
    found: set[str] = set()

    def look(schema: Any) -> None:
        if isinstance(schema, list):
            for each in schema:
                look(each)
        elif isinstance(schema, dict):
            for name, each in schema.get("properties", {}).items():
                if "x-sealed-under" in json.dumps(each):
                    found.add(name)
            for each in schema.values():
                look(each)

    look(list(schemas().values()))
    return frozenset(found)
