"""How each kind of fault is done and undone; faults of one part may overlap, the last one mends."""

import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx2
import psutil

from deploy.embedded.ports import HOST
from tests.faults.trial.grounds import Grounds
from tests.faults.trial.schedule import WIRES, Fault, Kind
from tests.faults.trial.wiring import State
from tests.house import ROOT
from tests.processes import free_port

STATES = {
    Kind.CUT: State.CUT,
    Kind.SLOW: State.SLOW,
    Kind.SILENT: State.SILENT,
    Kind.HALF_CLOSE: State.HALF_CLOSED,
}
HARSH = {
    "error_5xx": 0.1,
    "slow": 0.1,
    "slow_seconds": 3.0,
    "lost_request": 0.1,
    "lost_response": 0.1,
    "duplicate_callback": 0.3,
    "late_callback": 0.2,
    "late_seconds": 3.0,
    "reordered_callback": 0.3,
}
FEW_A_SECOND = 5.0
LIKE = "dialer-1"
"""Whose program and environment a dialer has that comes and goes."""


class Strokes:
    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._killed: set[int] = set()
        self._frozen: dict[str, list[psutil.Process]] = {}
        self._calm: Any = None
        self._comers: list[subprocess.Popen[bytes]] = []
        self._goers: list[subprocess.Popen[bytes]] = []
        like = psutil.Process(grounds.house.pid(LIKE))
        self._dialer, self._env = like.cmdline(), like.environ()

    def can(self, fault: Fault) -> bool:
        """A process that is down already is awaited."""
        if fault.kind not in {Kind.KILL, Kind.FREEZE}:
            return True
        pid = self._grounds.house.pid(fault.part)
        return pid not in self._killed and psutil.pid_exists(pid)

    def strike(self, fault: Fault) -> int | None:
        """The pid of what was struck, where it is a process."""
        match fault.kind:
            case Kind.KILL:
                pid = self._grounds.house.kill(fault.part)
                self._killed.add(pid)
                return pid
            case Kind.FREEZE:
                return self._freeze(fault.part)
            case Kind.CUT | Kind.SLOW | Kind.SILENT | Kind.HALF_CLOSE:
                self._grounds.wires.become(fault.part, STATES[fault.kind])
            case Kind.DISK_FULL:
                self._grounds.disks.fill(fault.part)
            case Kind.CLOCK:
                self._grounds.clocks.move(fault.part, wrong_by(fault))
            case Kind.CARRIER:
                self._be_harsh()
            case Kind.REBALANCE:
                self._comers += [self._comer(), self._comer()]
        return None

    def mend(self, fault: Fault, others: Sequence[Fault]) -> None:
        """`others` are those that go on."""
        same = [other for other in others if other.part == fault.part]
        if fault.kind in WIRES:
            left = [STATES[other.kind] for other in same]
            self._grounds.wires.become(fault.part, left[-1] if left else State.WHOLE)
        elif fault.kind in {other.kind for other in same}:
            return
        elif fault.kind is Kind.FREEZE:
            self._thaw(fault.part)
        elif fault.kind is Kind.DISK_FULL:
            self._grounds.disks.empty(fault.part)
        elif fault.kind is Kind.CLOCK:
            self._grounds.clocks.move(fault.part, 0)
        elif fault.kind is Kind.CARRIER:
            self._behave(self._calm)
        elif fault.kind is Kind.REBALANCE:
            self._all_go()

    def see_off(self) -> None:
        """Until all that were told to go are gone."""
        for goer in self._goers:
            goer.wait(timeout=30)
        self._goers.clear()

    def _freeze(self, part: str) -> int:
        """With its children: a server that is stopped alone would go on through them."""
        process = psutil.Process(self._grounds.house.pid(part))
        frozen = self._frozen.setdefault(part, [])
        process.suspend()  # first, so that it has no more of them
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                each.suspend()
                frozen.append(each)
        return process.pid

    def _thaw(self, part: str) -> None:
        for process in self._frozen.pop(part):
            with suppress(psutil.NoSuchProcess):  # killed meanwhile
                process.resume()

    def _be_harsh(self) -> None:
        url = f"{self._grounds.house.endpoints['simulator']}/behaviour"
        now = httpx2.get(url).raise_for_status().json()
        if now["faults"]["lost_request"] != HARSH["lost_request"]:
            self._calm = now
            limit = {"calls_per_second": FEW_A_SECOND}
            self._behave({**now, **limit, "faults": {**now["faults"], **HARSH}})

    def _behave(self, behaviour: Any) -> None:
        url = f"{self._grounds.house.endpoints['simulator']}/behaviour"
        httpx2.put(url, json=behaviour).raise_for_status()

    def _comer(self) -> subprocess.Popen[bytes]:
        port = str(free_port())
        told = {"ROLLCALL_HTTP_PORT": port, "ROLLCALL_CALLBACK_URL": f"http://{HOST}:{port}"}
        with (self._grounds.house.folder / "logs" / "comers.log").open("ab") as output:
            return subprocess.Popen(
                self._dialer, cwd=ROOT, env=self._env | told, stdout=output, stderr=output
            )

    def _all_go(self) -> None:
        """One as it should, the next outright; neither is waited for but at the end."""
        for n, comer in enumerate(self._comers):
            comer.send_signal((signal.SIGTERM, signal.SIGKILL)[n % 2])
        self._goers += self._comers
        self._comers.clear()


def wrong_by(fault: Fault) -> int:
    """Seconds: minutes ahead, or behind."""
    return (120 + fault.after * 7 % 600) * (1 if fault.after % 2 else -1)
