"""The code as it stood at earlier commits, where there is a history to take it from."""

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from tests.faults.versions.chosen import ROOT

SHAPES = ("*/migrations/*.sql", "*/vault_migrations/*.sql", "contracts/schemas/*.json")
"""Where changed tables and changed events are to be found."""


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def has_history() -> bool:
    """A copy of the code, or a shallow one, has none."""
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "HEAD~1"], cwd=ROOT, capture_output=True, check=False
    )
    return known.returncode == 0


def previous() -> str:
    return git("rev-parse", "HEAD~1").decode().strip()


def before_the_shapes_changed() -> str:
    """The newest commit with other tables or other events; `ROLLCALL_BESIDE` names another one."""
    if chosen := os.environ.get("ROLLCALL_BESIDE"):
        return chosen
    changed = git("log", "-1", "--format=%H", "--", *SHAPES).decode().strip()
    return git("rev-parse", f"{changed}~1").decode().strip()


def checked_out(commit: str, folder: Path) -> Path:
    with tarfile.open(fileobj=BytesIO(git("archive", commit))) as tree:
        tree.extractall(folder, filter="data")
    return folder
