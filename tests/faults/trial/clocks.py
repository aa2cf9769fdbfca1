"""A process whose clock is wrong while all others agree: the time of day, not the time that passes.

PostgreSQL's clock is the authority that deadlines are measured by, and is never moved.
"""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path


class Clocks:
    """By the service whose clock it is."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.names = tuple(names)
        folder.mkdir(exist_ok=True)
        self._files = {name: folder / name for name in names}
        for name in names:
            self.move(name, 0)

    def env(self, name: str) -> Mapping[str, str]:
        """What its process is started with."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._files[name]),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def move(self, name: str, seconds: int) -> None:
        """Off by so much within a second; renamed, so that nobody reads half a number."""
        fresh = self._files[name].with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n")
        fresh.replace(self._files[name])


def library() -> Path | None:
    spec = find_spec("libfaketime")  # looked up, not imported: it starts processes anew
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return found if found.exists() and os.access(found, os.R_OK) else None
