"""A batch as it runs: one bar, the counts by status; rate and time left are the server's own."""

import asyncio
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cli.client import Client, Json, path_of
from cli.printing import say

TERMINAL = {"COMPLETED", "CANCELLED", "FAILED"}
LOOK_SECONDS = 0.5
TELLS_TENTHS_BELOW = 10

_COLOURS = {
    "pending": "dim",
    "queued": "cyan",
    "in_progress": "blue",
    "completed": "green",
    "no_answer": "yellow",
    "failed": "red",
    "rejected": "magenta",
}


async def watch(client: Client, batch_id: str, console: Console) -> Json:
    """Shows the batch until it has ended and gives its last state.

    Without a terminal it prints a line whenever the counts change.
    """
    view = _View(console)
    with view.live:
        while True:
            batch = await client.read(path_of(batch_id))
            view.show(batch)
            if batch["status"] in TERMINAL and batch.get("phase") != "finishing":
                return batch
            await asyncio.sleep(LOOK_SECONDS)


class _View:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            console=console,
        )
        self._task = self._bar.add_task("", total=None, pace="")
        self._said = ""
        self.live = Live(console=console, refresh_per_second=8, transient=False)

    def show(self, batch: Json) -> None:
        counts: dict[str, int] = batch["recipients"]
        done = sum(counts[status] for status in ("completed", "failed", "no_answer"))
        pace = pace_of(batch, datetime.now(UTC))
        state = " ".join(filter(None, (batch["status"], _in_words(batch.get("phase")))))
        self._bar.update(
            self._task, total=counts["total"], completed=done, description=state, pace=pace
        )
        if self._console.is_terminal:
            self.live.update(_stacked(self._bar, _counts(counts)))
            return
        line = f"{state}: {done} of {counts['total']}, {_counts(counts).plain}"
        if line != self._said:
            say(f"{line}  {pace}".rstrip(), self._console)
            self._said = line


def pace_of(batch: Json, now: datetime) -> str:
    """Nothing is left of what has ended, and nobody knows how much of what stands still."""
    status, finish, rate = batch["status"], batch["estimated_finish_at"], batch["calls_per_minute"]
    if status in TERMINAL:
        return ""
    said = [f"{_few(rate)} calls a minute"] if rate else []
    if batch["estimate_reason"]:
        said.append(batch["estimate_reason"]["message"])
    elif finish and status == "RUNNING":
        said.append(f"{_clock(datetime.fromisoformat(finish) - now)} left")
    return ", ".join(said)


def _few(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= TELLS_TENTHS_BELOW else f"{rate:.1f}"


def _clock(left: timedelta) -> str:
    minutes, seconds = divmod(max(0, round(left.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _in_words(phase: str | None) -> str:
    return f"({phase.replace('_', ' ')})" if phase else ""


def _counts(counts: dict[str, int]) -> Text:
    parts = [
        (f"{counts[name]} {name.replace('_', ' ')}", colour)
        for name, colour in _COLOURS.items()
        if counts.get(name)
    ]
    return Text("  ").join(Text(*part) for part in parts)


def _stacked(bar: Progress, counts: Text) -> Table:
    table = Table.grid()
    table.add_row(bar)
    table.add_row(counts)
    return table
