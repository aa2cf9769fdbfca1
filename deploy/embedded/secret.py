"""A secret is on the disk whole or not at all, whenever the power goes; nothing opens without."""

import os
from pathlib import Path


def keep(file: Path, secret: str, owner: int) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    os.chown(fresh, owner, -1)
    with fresh.open("w") as aside:
        aside.write(secret)
        aside.flush()
        os.fsync(aside.fileno())
    fresh.rename(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
