"""The hand on the wires: what it says is done when it returns."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Self

from tests.faults.trial.wiring import State
from tests.house import ROOT


@dataclass(frozen=True, slots=True)
class Run:
    """Where a wire begins and where it leads, both on this machine."""

    port: int
    target: int


class Wires:
    """The hand on the wires."""

    def __init__(self, runs: Mapping[str, Run]) -> None:
        self.names = tuple(runs)
        self._lock = Lock()
        told = [f"{name}={run.port}={run.target}" for name, run in runs.items()]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.trial.wiring", *told],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    @classmethod
    @contextmanager
    def laid(cls, runs: Mapping[str, Run]) -> Iterator[Self]:
        wires = cls(runs)
        with wires._process:  # ends when its input is closed
            wires._answered()
            yield wires

    def become(self, name: str, state: State) -> None:
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(f"{name} {state}\n")
            self._answered()

    def _answered(self) -> None:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().strip()
        assert answer == "done", f"the wires are gone, exit code {self._process.poll()}"
