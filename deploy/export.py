"""Writes the published contract; never over a version that the log may already hold.

`python -m deploy.export` writes what is new, `--check` only says whether all is up to date.
"""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.compatibility import incompatibilities
from contracts.published import asyncapi, schema_name, schemas
from contracts.topics import TOPIC_OF

CONTRACTS = Path(__file__).parent.parent / "contracts"
FOLDER = CONTRACTS / "schemas"


def documents() -> dict[str, dict[str, Any]]:
    samples = {
        event: json.loads((CONTRACTS / "samples" / schema_name(event)).read_text())
        for event in TOPIC_OF
    }
    return {**schemas(), "asyncapi.json": asyncapi(samples)}


def breaches(folder: Path = FOLDER) -> list[str]:
    """The fields by which today's events no longer read what was written under their version."""
    return [
        f"{name} {breach}: make it a new version with an upcaster in contracts/codec.py"
        for name, schema in schemas().items()
        if (folder / name).exists()
        for breach in incompatibilities(json.loads((folder / name).read_text()), schema)
    ]


def outdated(folder: Path = FOLDER) -> list[str]:
    return [
        name
        for name, document in documents().items()
        if not (folder / name).exists() or (folder / name).read_text() != _text(document)
    ]


def write(folder: Path = FOLDER) -> None:
    for name, document in documents().items():
        (folder / name).write_text(_text(document))


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    if found := breaches():
        print("\n".join(found), file=sys.stderr)
        return 1
    if "--check" not in sys.argv:
        write()
        return 0
    if stale := outdated():
        print(f"out of date, run `make schemas`: {', '.join(stale)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
