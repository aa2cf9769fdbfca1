"""All of Rollcall as its users run it, with a hand on every process, wire, disk and clock of it.

What this machine cannot do is told in `missing`, and no schedule made of `parts` asks for it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.ports import Ports
from tests.faults.trial import clocks, disks
from tests.faults.trial.clocks import Clocks
from tests.faults.trial.disks import Disks
from tests.faults.trial.rigged import Rig
from tests.faults.trial.schedule import CARRIER, DIALERS, SERVERS, Kind
from tests.faults.trial.wires import Run, Wires
from tests.house import House

EVERY_KIND = tuple(Kind)
ACCOUNTS = "tests.faults.trial.accounts"


@dataclass(frozen=True, slots=True)
class Grounds:
    house: House
    services: tuple[str, ...]
    wires: Wires
    disks: Disks
    clocks: Clocks
    missing: Mapping[Kind, str]
    """What this machine cannot do, and why."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in Kind if kind not in self.missing)

    @property
    def parts(self) -> tuple[str, ...]:
        """All that a fault may strike."""
        return (*self.services, *SERVERS, *self.wires.names, CARRIER, DIALERS)


@contextmanager
def grounds(
    folder: Path,
    *,
    dialers: int = 2,
    mutants: Mapping[str, str] | None = None,
    kinds: Collection[Kind] = EVERY_KIND,
    **env: str,
) -> Iterator[Grounds]:
    """`mutants`: by service, the module that is run in its place.

    A request to ingest or projections is of the account in its header `Rollcall-Account`.
    """
    missing = {kind: why for kind, why in lacking().items() if kind in kinds}
    for kind, why in missing.items():
        print(f"this machine cannot do {kind}: {why}")
    services = ("ingest", "scheduler", *(f"dialer-{n + 1}" for n in range(dialers)), "projections")
    folder.mkdir(parents=True, mode=0o700)
    modules = {"ingest": ACCOUNTS, "projections": ACCOUNTS, **(mutants or {})}
    with ExitStack() as stack:
        full = SERVERS if Kind.DISK_FULL in kinds and Kind.DISK_FULL not in missing else ()
        mounted = stack.enter_context(Disks.mounted(folder, full))
        moved = services if Kind.CLOCK in kinds and Kind.CLOCK not in missing else ()
        own = Clocks(folder / "clocks", moved)
        ports = Ports(folder / "ports.json")
        runs, listeners = connected(services, ports)
        wires = stack.enter_context(Wires.laid(runs))
        rig = Rig(
            wires={name: run.port for name, run in runs.items()},
            listeners=listeners,
            modules=modules,
            env={name: dict(own.env(name)) for name in moved},
        )
        up = ("tests.faults.trial.rigged", rig.model_dump_json())
        running = House(folder, dialers, up, **env)
        stack.callback(running.stop)
        yield Grounds(running, services, wires, mounted, own, missing)


def lacking() -> dict[Kind, str]:
    why = {
        Kind.DISK_FULL: disks.cannot_be_mounted(),
        Kind.CLOCK: "" if clocks.library() else "libfaketime is not installed",
    }
    return {kind: reason for kind, reason in why.items() if reason}


def connected(services: Sequence[str], ports: Ports) -> tuple[dict[str, Run], dict[str, int]]:
    """A wire from each service to all that it dials; `up` remembers the ports claimed here."""
    runs: dict[str, Run] = {}
    listeners: dict[str, int] = {}
    for name in services:
        listeners[name] = ports.claim(f"kafka of {name}")
        runs[f"{name}/kafka"] = Run(ports.claim(f"{name}/kafka"), listeners[name])
        runs[f"{name}/postgres"] = Run(ports.claim(f"{name}/postgres"), ports.claim("postgres"))
        if name.startswith("dialer-"):
            runs[f"{name}/carrier"] = Run(ports.claim(f"{name}/carrier"), ports.claim("simulator"))
    return runs, listeners
