"""An entry is on the disk before anyone is told: `durable` returns after its fsync, never before.

Entries are numbered from 1 without gaps, across restarts.  Writers that wait together share one
fsync, done in a thread so that five thousand live calls never wait for a disk.
"""

import asyncio
import fcntl
import json
import os
from array import array
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import structlog

Kind = Literal["request", "ring", "answer", "end", "callback"]
Entry = dict[str, Any]

_CHUNK = 1 << 18
_encode = json.JSONEncoder(separators=(",", ":")).encode
log = structlog.get_logger()


class LedgerError(Exception):
    """The ledger cannot be written or read, so nothing may ring."""


class Ledger:
    def __init__(
        self,
        path: Path,
        fsync: Callable[[int], None] = os.fsync,
        on_broken: Callable[[], object] = lambda: None,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._fsync, self._on_broken = path, fsync, on_broken
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._starts = array("Q", [0])  # where entry n + 1 begins; the last is the end of the file
        self._pending: list[bytes] = []
        self._written = self._durable = 0  # seq handed to the disk; seq known to be on it
        self._landing, self._next = asyncio.Event(), asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._broken: OSError | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise LedgerError(f"{path} is in use by another simulator") from error

    @property
    def seq(self) -> int:
        return len(self._starts) - 1

    @property
    def healthy(self) -> bool:
        return self._broken is None

    def load(self) -> Iterator[Entry]:
        """Every entry of an earlier life, in order; a line torn by a crash is cut off."""
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                entry = self._parse(line)
                self._starts.append(self._starts[-1] + len(line))
                yield entry
        os.ftruncate(self._file, self._starts[-1])
        self._fsync(self._file)
        _fsync_folder(self._path.parent)
        self._written = self._durable = self.seq

    def append(self, kind: Kind, fields: Entry) -> Entry:
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        entry = {"seq": self.seq + 1, "at": at, "kind": kind, **fields}
        line = _encode(entry).encode() + b"\n"
        self._starts.append(self._starts[-1] + len(line))
        self._pending.append(line)
        if self._flusher is None and self._broken is None:
            self._flusher = asyncio.get_running_loop().create_task(self._flush())
        return entry

    async def durable(self, seq: int) -> None:
        """Return once entry `seq` is on the disk; raise if it will never be."""
        if seq > self._durable and self._broken is None:
            await (self._landing if seq <= self._written else self._next).wait()
        if seq > self._durable:
            raise LedgerError("the ledger can no longer be written") from self._broken

    async def read(self, after: int) -> AsyncIterator[bytes]:
        """The lines of the entries after `after` that are on the disk now, in large pieces."""
        loop = asyncio.get_running_loop()
        position, end = self._starts[min(after, self._durable)], self._starts[self._durable]
        while position < end:
            size = min(_CHUNK, end - position)
            piece = await loop.run_in_executor(None, os.pread, self._file, size, position)
            position += len(piece)
            yield piece

    async def close(self) -> None:
        if self._flusher is not None:
            await self._flusher
        self._thread.shutdown()
        os.close(self._file)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            lines, self._pending = b"".join(self._pending), []
            self._written, self._landing, self._next = self.seq, self._next, asyncio.Event()
            try:
                await loop.run_in_executor(self._thread, self._write, lines)
            except OSError as error:
                self._broken = error
                log.critical("ledger_broken", error=error.strerror, seq=self._durable)
                self._landing.set()
                self._next.set()
                self._on_broken()
                break
            self._durable = self._written
            self._landing.set()
        self._flusher = None

    def _parse(self, line: bytes) -> Entry:
        try:
            entry: Entry = json.loads(line)
        except ValueError as error:
            raise LedgerError(f"{self._path}: no entry follows {self.seq}") from error
        if entry["seq"] != self.seq + 1:
            raise LedgerError(f"{self._path}: {entry['seq']} follows {self.seq}")
        return entry

    def _write(self, lines: bytes) -> None:
        view = memoryview(lines)
        while view:
            view = view[os.write(self._file, view) :]
        self._fsync(self._file)


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
