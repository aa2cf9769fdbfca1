"""`... FOLDER PART ARGUMENT...`: the part, in the version chosen last; else these arguments.

Its supervisor starts this again and again, and so does not learn of the versions.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def choice(folder: Path, part: str) -> Path:
    """The file with the root of the code and, a line each, what Python is to be told."""
    return folder / "versions" / part


def main() -> None:
    folder, part, *arguments = sys.argv[1:]
    root, chosen = str(ROOT), choice(Path(folder), part)
    if chosen.exists():
        root, *arguments = chosen.read_text().splitlines()
    os.chdir(root)
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable, [sys.executable, *arguments], {**os.environ, "PYTHONPATH": root}
    )


if __name__ == "__main__":
    main()
