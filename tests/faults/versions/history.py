"""The code as it stood at earlier commits, where there is a history to take it from."""

import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from tests.faults.versions.chosen import ROOT

SHAPES = ("services", "chassis", "contracts/schemas")
"""Where changed tables and changed events are to be found."""
FAR = 60
"""Commits, after which an older one tells nothing more of a deployment."""


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


def before_the_shapes_changed() -> str | None:
    """The newest commit with other tables or events, whose migrations nobody has edited since."""
    for commit in _commits_that_changed_shapes():
        if _migrations(f"{commit}~1").items() <= _migrations("HEAD").items():
            return git("rev-parse", f"{commit}~1").decode().strip()
    return None


def _commits_that_changed_shapes() -> Iterator[str]:
    patterns = ["*/migrations/*.sql", "*/vault_migrations/*.sql", "contracts/schemas/*.json"]
    yield from git("log", f"-{FAR}", "--format=%H", "--", *patterns).decode().split()


def _migrations(commit: str) -> dict[str, str]:
    """By path: what the file holds, as its hash."""
    lines = git("ls-tree", "-r", "--format=%(objectname) %(path)", commit, "--", *SHAPES)
    files = (line.split(" ", 1) for line in lines.decode().splitlines())
    return {
        path: digest for digest, path in files if path.endswith(".sql") and "migrations" in path
    }


def checked_out(commit: str, folder: Path) -> Path:
    with tarfile.open(fileobj=BytesIO(git("archive", commit))) as tree:
        tree.extractall(folder, filter="data")
    return folder
