"""Bytes that nobody else has, and the search for them in every form in which they may be kept."""

import base64
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LONG = 6_000
"""Characters that a database keeps apart, and cannot compress: they have no repetition."""


def unlike_anything(length: int) -> str:
    return secrets.token_urlsafe(length)[:length].replace("-", "x").replace("_", "y")


def forms(text: str) -> Iterator[bytes]:
    """As it may stand in a file; of base64 what is the same wherever in it the text begins."""
    raw = text.encode()
    yield raw
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield json.dumps(text)[1:-1].encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + raw)
        yield coded[4 if shift else 0 : -4]
        yield base64.urlsafe_b64encode(bytes(shift) + raw)[4 if shift else 0 : -4]


def found_in(folders: Iterable[Path], canaries: Mapping[str, str | bytes]) -> Counter[str]:
    """`folder: canary` for each file that holds a canary in any form."""
    wanted = {
        name: {it} if isinstance(it, bytes) else set(forms(it)) for name, it in canaries.items()
    }
    hits: Counter[str] = Counter()
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_symlink() or not file.is_file():
                continue
            for name in _in_file(file, wanted):
                hits[f"{folder.name}: {name}"] += 1
    return hits


def _in_file(file: Path, wanted: Mapping[str, set[bytes]]) -> Iterator[str]:
    try:
        held = b"\0".join(_written(file))
    except FileNotFoundError:
        return  # gone meanwhile
    for name, patterns in wanted.items():
        if any(pattern in held for pattern in patterns):
            yield name


def _written(file: Path) -> Iterator[bytes]:
    """Without the holes: Kafka's indexes are made of them."""
    with file.open("rb") as opened:
        end = file.stat().st_size
        at = 0
        while at < end:
            try:
                since = os.lseek(opened.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole
                return
            at = os.lseek(opened.fileno(), since, os.SEEK_HOLE)
            opened.seek(since)
            yield opened.read(at - since)
