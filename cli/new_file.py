"""A file is written whole or not at all, and over no other unless that is said."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

MARK: Final = "\ufeff"
"""By which Excel knows UTF-8."""


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """What is written is there once all of it is; where nothing is, nothing is changed.

    Nobody but its owner can read it.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a handle
            file.write(MARK)
            yield file
        if Path(name).stat().st_size > len(MARK.encode()):
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def refused_target(path: Path, source: Path, *, force: bool) -> str | None:
    """Why nothing may be written there; None: it may."""
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} to write {path.name} to."
    if path.is_dir() or (path.exists() and path.samefile(source)):
        return f"{path} is not to be written over: name another file."
    if path.exists() and not force:
        return f"{path} is there already: name another file, or add --force to write over it."
    return None
