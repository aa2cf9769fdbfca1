"""What processes cost, as the kernel counts it: nothing is sampled, so nothing is missed."""

from collections.abc import Iterable
from pathlib import Path

import psutil

from tests.house import House

NOT_SERVICES = {"up", "postgres", "kafka", "simulator"}


def services(house: House) -> list[int]:
    return [pid for part, pid in house.endpoints["pids"].items() if part not in NOT_SERVICES]


def pids(house: House, *parts: str) -> list[int]:
    return [house.pid(part) for part in parts]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Of these processes and all they have started."""
    return sum(_with_children(psutil.Process(pid)) for pid in pids)


def _with_children(process: psutil.Process) -> float:
    spent = sum(process.cpu_times()[:4])  # its own, and that of its children who have ended
    return float(spent + sum(sum(child.cpu_times()[:2]) for child in process.children()))


def resident(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_resident(pid: int) -> int:
    """The most it has held since `forget_peak`, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024
