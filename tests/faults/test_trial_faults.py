"""Each injector does what it says: a harness whose faults do not bite would find nothing."""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from pathlib import Path

import pytest

from deploy.embedded.ports import CANDIDATES, HOST, is_free
from tests.faults.trial import clocks, disks
from tests.faults.trial.clocks import Clocks
from tests.faults.trial.disks import Disks
from tests.faults.trial.grounds import lacking
from tests.faults.trial.schedule import Kind
from tests.faults.trial.wires import Run, Wires
from tests.faults.trial.wiring import State
from tests.house import ROOT, until

WAIT = 20.0
OFF = timedelta(minutes=5)
CLOCKS = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), time.monotonic(), flush=True)
"""
KILLED = """
import os, pathlib, sys
from tests.faults.trial.disks import Disks
folder = pathlib.Path(sys.argv[1])
mounted = Disks.mounted(folder, ["kafka"])
mounted.__enter__()
print("mounted" if (folder / "kafka").is_mount() else "not mounted", flush=True)
os._exit(9)
"""


class Line:
    """A wire between two ends that the test holds in its hands."""

    def __init__(self) -> None:
        self._server = socket.create_server((HOST, 0))
        self._server.settimeout(WAIT)
        self._ends = [self._server]
        self.port = next(filter(is_free, random.sample(CANDIDATES, 200)))
        self.run = Run(self.port, self._server.getsockname()[1])

    def dial(self) -> socket.socket:
        self._ends.append(socket.create_connection((HOST, self.port), WAIT))
        return self._ends[-1]

    def connected(self) -> tuple[socket.socket, socket.socket]:
        near = self.dial()
        far, _ = self._server.accept()
        far.settimeout(WAIT)
        self._ends.append(far)
        return near, far

    def close(self) -> None:
        for end in self._ends:
            end.close()


@pytest.fixture(scope="module")
def lines() -> Iterator[dict[State, Line]]:
    """One for each test of a state, so that all are laid at once."""
    with ExitStack() as stack:
        yield {state: stack.enter_context(closing(Line())) for state in State}


@pytest.fixture(scope="module")
def wires(lines: dict[State, Line]) -> Iterator[Wires]:
    with Wires.laid({state: line.run for state, line in lines.items()}) as laid:
        yield laid


def answers(near: socket.socket, far: socket.socket, word: bytes) -> bool:
    near.sendall(word)
    heard = far.recv(100) == word
    far.sendall(word)
    return heard and near.recv(100) == word


def test_a_whole_wire_carries_both_ways_and_tells_the_end(
    lines: dict[State, Line], wires: Wires
) -> None:
    line = lines[State.WHOLE]
    near, far = line.connected()
    assert answers(near, far, b"hello")
    near.shutdown(socket.SHUT_WR)
    assert far.recv(1) == b""
    far.sendall(b"the last word")
    far.close()
    assert near.recv(100) == b"the last word"
    assert near.recv(1) == b""


def test_a_cut_wire_resets_what_is_open_and_refuses_what_comes(
    lines: dict[State, Line], wires: Wires
) -> None:
    line = lines[State.CUT]
    near, far = line.connected()
    wires.become(State.CUT, State.CUT)
    for end in (near, far):
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with pytest.raises(ConnectionRefusedError):
        line.dial()
    wires.become(State.CUT, State.WHOLE)
    assert answers(*line.connected(), b"again")


def test_on_a_silent_wire_what_is_sent_arrives_and_the_answer_only_later(
    lines: dict[State, Line], wires: Wires
) -> None:
    line = lines[State.SILENT]
    near, far = line.connected()
    wires.become(State.SILENT, State.SILENT)
    near.sendall(b"ring")
    assert far.recv(100) == b"ring"
    far.sendall(b"rung")
    far.close()
    near.settimeout(0.2)
    with pytest.raises(TimeoutError):
        near.recv(100)
    wires.become(State.SILENT, State.WHOLE)
    near.settimeout(WAIT)
    assert near.recv(100) == b"rung"


def test_on_a_half_closed_wire_only_the_far_side_knows_of_the_end(
    lines: dict[State, Line], wires: Wires
) -> None:
    line = lines[State.HALF_CLOSED]
    near, far = line.connected()
    wires.become(State.HALF_CLOSED, State.HALF_CLOSED)
    assert far.recv(1) == b""
    far.close()
    near.sendall(b"is anybody there?")
    new = line.dial()
    for end in (near, new):
        end.settimeout(0.2)
        with pytest.raises(TimeoutError):
            end.recv(1)
        end.settimeout(WAIT)
    wires.become(State.HALF_CLOSED, State.WHOLE)
    for end in (near, new):
        with pytest.raises(ConnectionResetError):
            end.recv(1)


def test_on_a_slow_wire_the_later_word_of_another_comes_first(
    lines: dict[State, Line], wires: Wires
) -> None:
    near, far = lines[State.SLOW].connected()
    wires.become(State.SLOW, State.SLOW)
    near.sendall(bytes(16 * 1024))
    assert answers(*lines[State.WHOLE].connected(), b"quick")
    far.settimeout(0)
    with pytest.raises(BlockingIOError):
        far.recv(1)
    far.settimeout(WAIT)
    assert far.recv(1) == b"\0"


def test_a_full_disk_takes_nothing_more_and_then_it_does(tmp_path: Path) -> None:
    if disks.cannot_be_mounted():
        assert lacking()[Kind.DISK_FULL]
        return
    with Disks.mounted(tmp_path, ["kafka"]) as mounted:
        file = tmp_path / "kafka" / "segment"
        file.write_bytes(b"what was there stays")
        mounted.fill("kafka")
        assert mounted.free("kafka") == 0
        with pytest.raises(OSError, match=os.strerror(ENOSPC)):
            (tmp_path / "kafka" / "more").write_bytes(bytes(100_000))
        assert file.read_bytes() == b"what was there stays"
        mounted.empty("kafka")
        (tmp_path / "kafka" / "more").write_bytes(bytes(100_000))
    assert not (tmp_path / "kafka").is_mount()


def test_a_disk_left_by_a_run_that_was_killed_is_taken_away(tmp_path: Path) -> None:
    if disks.cannot_be_mounted():
        assert lacking()[Kind.DISK_FULL]
        return
    left = tmp_path / "left"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, left], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert killed.stdout.strip() == "mounted", killed.stderr
    with Disks.mounted(tmp_path / "new", ["kafka"]):
        assert not (left / "kafka").is_mount()


def test_a_clock_is_off_while_its_process_runs_and_no_deadline_moves(tmp_path: Path) -> None:
    if clocks.library() is None:
        assert lacking()[Kind.CLOCK]
        return
    own = Clocks(tmp_path / "clocks", ["dialer-1"])
    child = subprocess.Popen(
        [sys.executable, "-c", CLOCKS],
        env={**os.environ, **own.env("dialer-1")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    with child:
        before = times(child)
        assert abs(off(before[0])) < OFF / 2
        for moved in (OFF, -OFF):
            own.move("dialer-1", int(moved.total_seconds()))
            until(lambda: abs(off(times(child)[0]) - moved) < OFF / 2, f"{moved}", WAIT)  # noqa: B023
        after = times(child)
        since_boot, monotonic = after[1] - before[1], after[2] - before[2]
        assert abs(since_boot - monotonic) < 1
        assert 0 <= since_boot < OFF.total_seconds() / 2
        child.kill()


def times(child: subprocess.Popen[str]) -> list[float]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    return [float(each) for each in child.stdout.readline().split()]


def off(told: float) -> timedelta:
    return datetime.fromtimestamp(told, UTC) - datetime.now(UTC)
