"""What a command found, for a person or, with --json, for a program.

Text from outside (a batch's name, a reason) is shown as it is: never obeyed as markup, nor by the
terminal.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]
console = Console()
problems = Console(stderr=True)


def plain(said: object) -> Text:
    """Exactly these characters; those that cannot be seen are shown escaped, but for a newline."""
    return Text("".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in str(said)))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def say(said: object, shown: Console = console) -> None:
    shown.print(plain(said), soft_wrap=True)


def say_json(found: Any) -> None:
    """In ASCII, which every terminal and pipe takes."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def say_failure(message: str, *, as_json: bool, problem: Json | None = None) -> int:
    """Prints what went wrong and gives the exit code of failure."""
    if as_json:
        say_json({"ok": False, "problem": problem or {"title": message}})
    else:
        problems.print(plain(message), style="red", soft_wrap=True)
    return 1


def say_unheard(error: OSError) -> int:
    """The answer itself could not be written; whoever closed the pipe need not be told."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else what waits in the buffer fails at the exit
    if not isinstance(error, BrokenPipeError):
        problems.print(plain(f"The answer cannot be written: {error.strerror or error}"))
    return 1


def speak_any_encoding() -> None:
    """A terminal that lacks a character gets it escaped, not a stack trace."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    shown = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        shown.add_row(*("" if cell is None else plain(cell) for cell in row))
    # As wide as it is: an id that is cut short is of no use to anybody.
    whole = Measurement.get(console, console.options.update(width=10_000), shown).maximum
    Console(width=max(console.width, whole)).print(shown)


def say_page(
    page: Json,
    columns: Sequence[str],
    cells: Callable[[Json], tuple[object, ...]],
    *,
    as_json: bool,
) -> int:
    if as_json:
        say_json(page)
        return 0
    table(columns, [cells(each) for each in page["data"]])
    if page["next_cursor"]:
        say(f"more: --cursor {page['next_cursor']}")
    return 0


def facts(found: Json) -> None:
    """Name and value, a line each; a nested object on one line."""
    for name, value in found.items():
        text = in_words(value)
        if text:
            head = Text(f"{label(name):<22} ", style="bold")
            console.print(head.append_text(_on_one_line(text)), soft_wrap=True)


def in_words(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case {"message": str(message)}:
            return message
        case {"max_attempts": int(most), "delay_seconds": [*delays], "on": [*outcomes]}:
            return _attempts(most, delays, outcomes)
        case dict():
            told = ((label(name), in_words(each)) for name, each in value.items())
            return ", ".join(f"{name} {words}" for name, words in told if words)
        case list():
            between = "; " if any(isinstance(each, dict) for each in value) else " "
            return between.join(in_words(each) for each in value)
        case _:
            return "" if value is None else str(value)


def label(name: str) -> str:
    return name.replace("_", " ")


def _attempts(most: int, delays: list[int], outcomes: list[str]) -> str:
    if most == 1:
        return "1 attempt"
    waits = " then ".join(f"{delay:,} s" for delay in delays) or "0 s"
    return f"{most} attempts, {waits} apart, after {' or '.join(map(label, outcomes))}"


def _on_one_line(said: object) -> Text:
    return plain(str(said).replace("\n", "\\n"))
