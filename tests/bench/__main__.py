"""`python -m tests.bench [NAME...]`: each figure beside its reference, measured in the same run.

A machine that is busy with something else makes both slower: read the ratios.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.figures import FIGURES
from tests.bench.sizes import FULL, TINY, Size
from tests.house import house

errors = Console(stderr=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(FIGURES)}; all unless named")
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.add_argument("--tiny", action="store_true", help="only a taste; says nothing")
    asked = parser.parse_args()
    if unknown := set(asked.name) - FIGURES.keys():
        parser.error(f"no figure is called {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    for name in asked.name or FIGURES:
        figures += measured(name, TINY if asked.tiny else FULL)
    if asked.json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        Console(width=max(130, errors.width)).print(table(figures))
    return 0


def measured(name: str, size: Size) -> list[Figure]:
    """In a house of its own, so that no figure pays for another."""
    busy = psutil.cpu_percent(interval=2)
    errors.print(f"measuring {name} on a machine that is {busy:.0f} % busy with other things")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, house(Path(folder) / "d") as here:
        figures = FIGURES[name](here, size)
    for figure in figures:
        errors.print(f"  {figure.name}: {figure.value:,.1f} {figure.unit}")
    return figures


def table(figures: list[Figure]) -> Table:
    drawn = Table("figure", "measured", "reference", "ratio", "goal", "")
    for figure in figures:
        drawn.add_row(
            figure.name,
            f"{figure.value:,.1f} {figure.unit}",
            f"{figure.reference:,.1f} {figure.beside}",
            f"{figure.ratio:.2f}",
            str(figure.goal or ""),
            {True: "[green]reached", False: "[red]missed", None: ""}[figure.reached],
        )
    return drawn


if __name__ == "__main__":
    sys.exit(main())
