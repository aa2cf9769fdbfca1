"""What a command found, for a person or, with --json, for a program."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Json = dict[str, Any]
console = Console()
problems = Console(stderr=True)


def say_json(found: Any) -> None:
    console.print(
        json.dumps(found, ensure_ascii=False), soft_wrap=True, markup=False, highlight=False
    )


def say_failure(message: str, *, as_json: bool, problem: Json | None = None) -> int:
    """Prints what went wrong and gives the exit code of failure."""
    if as_json:
        say_json({"ok": False, "problem": problem or {"title": message}})
    else:
        problems.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    return 1


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    shown = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(shown)


def facts(found: Json) -> None:
    """Name and value, a line each; a nested object on one line."""
    for name, value in found.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        if text not in (None, "", []):
            console.print(f"[bold]{name.replace('_', ' '):<22}[/bold] ", end="")
            console.print(str(text), markup=False, highlight=False)
