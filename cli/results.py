"""A file of results is whole: until then it is called .part, and a cut one is gone on with."""

import csv
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Literal

import httpx2
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from cli.client import Client, RefusedError
from cli.new_file import MARK
from cli.printing import problems, say_failure

COLUMNS = "Rollcall-Columns"
CUT = "The download was cut: the same command with --resume goes on with {}."

Asked = Mapping[str, str | None]
Format = Literal["csv", "jsonl"]
ENDINGS: Final[Mapping[str, Format]] = {
    ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    file: Path
    format: Format
    wish: Asked
    """What the rows are of: those of another wish are not to be mixed with them."""
    resume: bool
    force: bool

    @property
    def part(self) -> Path:
        return self.file.with_name(f"{self.file.name}.part")

    @property
    def note(self) -> Path:
        """What the part was asked with."""
        return self.file.with_name(f"{self.file.name}.part.json")

    def opened(self, *, anew: bool) -> BinaryIO:
        """Nobody but its owner can read it; whatever is cut, no part has the note of another."""
        if anew:
            self.part.unlink(missing_ok=True)
            self.note.write_text(json.dumps(self.wish))
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if anew else os.O_APPEND)
        return open(os.open(self.part, flags, 0o600), "wb" if anew else "ab")  # noqa: PTH123 - a handle

    def refused(self) -> str | None:
        """Why nothing may be written there; None: it may."""
        if not self.file.parent.is_dir():
            return f"There is no folder {self.file.parent} to write {self.file.name} to."
        if self.file.is_dir() or (self.file.exists() and not self.force):
            return f"{self.file} is there already: name another, or add --force to write over it."
        if self.resume and self.part.exists() and (begun := self._begun()) != self.wish:
            return f"{self.part} {_of(begun)}; without --resume all is downloaded anew."
        return None

    def is_whole(self) -> bool:
        """Whether there is nothing to go on with, for the file is done."""
        return self.file.is_file() and not self.force and not self.part.exists()

    def rows(self) -> int:
        lines = Lines(self.format)
        _read(self.file, lines)
        return lines.whole - int(self.format == "csv")

    def done(self) -> None:
        self.part.replace(self.file)
        self.note.unlink(missing_ok=True)

    def _begun(self) -> Asked | None:
        try:
            found: Asked = json.loads(self.note.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return found


def _of(begun: Asked | None) -> str:
    if begun is None:
        return "is there without the note of what it was asked with"
    options = [f"--{name} {value}" for name, value in begun.items() if value and name != "batch"]
    return f"is of batch {begun.get('batch')} with {' '.join(options)}: ask for the same to go on"


def format_of(file: Path | None, told: Format | None, *, bom: bool) -> Format:
    """By the file's ending where it is not told.  Raises ValueError."""
    ending = ENDINGS.get(file.suffix.lower()) if file else None
    if file and told and ending and told != ending:
        raise ValueError(f"{file.name} is no name for {told}: leave out --format, or name another.")
    found = told or ending or "csv"
    if bom and found != "csv":
        raise ValueError("--bom marks a CSV for Excel; JSON lines have no such mark.")
    return found


class Lines:
    """Whole lines as they come in: in a CSV, a line break between quotes ends none."""

    def __init__(self, target_format: Format) -> None:
        self._csv = target_format == "csv"
        self._quotes = 0
        self.whole = 0
        self.size = 0
        """Of the whole lines."""
        self._read = 0

    def feed(self, piece: bytes) -> None:
        for part in piece.splitlines(keepends=True):
            self._read += len(part)
            self._quotes += part.count(b'"') if self._csv else 0
            if part.endswith(b"\n") and self._quotes % 2 == 0:
                self.whole += 1
                self.size = self._read


async def download(
    client: Client, path: str, asked: Asked, total: int | None, *, as_json: bool
) -> int:
    """To the standard output."""
    try:
        async with client.streamed(path, asked) as answer:
            with _bar() as bar:
                shown = bar.add_task("", total=total)
                async for piece in answer.aiter_bytes():
                    sys.stdout.buffer.write(piece)
                    bar.advance(shown, piece.count(b"\n"))
    except httpx2.RemoteProtocolError:
        return say_failure("The download was cut: the last lines are missing.", as_json=as_json)
    sys.stdout.buffer.flush()
    return 0


async def save(client: Client, path: str, asked: Asked, total: int | None, target: Target) -> int:
    """Gives how many rows the file has.  Raises RefusedError."""
    header = int(target.format == "csv")
    lines = Lines(target.format)
    if target.resume and target.part.exists():
        _read(target.part, lines)
    behind = None
    if lines.whole > header:
        os.truncate(target.part, lines.size)
        behind = _last_recipient(target)
    else:
        lines = Lines(target.format)
    async with client.streamed(path, {**asked, "cursor": behind}) as answer:
        if behind is not None and header:
            _check_columns(target.part, answer.headers[COLUMNS])
        with target.opened(anew=behind is None) as out:
            await _write(answer, out, lines, total, target)
    target.done()
    return lines.whole - header


async def _write(
    answer: httpx2.Response, out: BinaryIO, lines: Lines, total: int | None, target: Target
) -> None:
    with _bar() as bar:
        shown = bar.add_task("", total=total)
        try:
            async for piece in answer.aiter_bytes():
                out.write(piece)
                lines.feed(piece)
                bar.update(shown, completed=lines.whole)
        except httpx2.RemoteProtocolError:
            raise RefusedError(502, {"title": CUT.format(target.part)}) from None


def _bar() -> Progress:
    return Progress(
        BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=problems, disable=not problems.is_terminal, transient=True,
    )  # fmt: skip


def _read(part: Path, lines: Lines) -> None:
    with part.open("rb") as file:
        while piece := file.read(1 << 20):
            lines.feed(piece)


def _last_recipient(target: Target) -> str:
    """Of a file of whole lines."""
    if target.format == "jsonl":
        with target.part.open("rb") as file:
            *_, last = file
        return str(json.loads(last)["recipient_id"])
    with target.part.open(encoding="utf-8-sig", newline="") as text:
        *_, row = csv.DictReader(text)
    return str(row["recipient_id"])


def _check_columns(part: Path, digest: str) -> None:
    """A variable that nobody had before makes a column more."""
    with part.open("rb") as file:
        lines = Lines("csv")
        header = b""
        while not lines.whole:
            line = file.readline()
            lines.feed(line)
            header += line
    if sha256(header.removeprefix(MARK.encode())).hexdigest() != digest:
        title = "The batch has other columns by now: download its results anew, without --resume."
        raise RefusedError(409, {"title": title})
