"""A house whose services are replaced by another version while the others work on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.faults.conftest import IMPATIENT
from tests.faults.versions.chosen import ROOT, choice
from tests.house import House, house, until

SERVICES = {
    "ingest": "services.ingest",
    "scheduler": "services.scheduler",
    "projections": "services.projections",
    "dialer-1": "services.dialer",
    "dialer-2": "services.dialer",
}


@dataclass(frozen=True, slots=True)
class Version:
    """Code that stands in a folder; `through` is a module that is told the service's."""

    root: Path = ROOT
    through: str | None = None

    def runs(self, module: str) -> list[str]:
        return ["-m", *filter(None, [self.through]), module]


TODAY = Version()
NEXT = Version(through="tests.faults.versions.next_version")


class Mixed:
    def __init__(self, opened: House, first: Version) -> None:
        self.house = opened
        self.runs = dict.fromkeys(SERVICES, first)

    def replace(self, part: str, version: Version, *, ready: bool = True) -> None:
        """As a deployment does: asked to stop, and started anew in this version."""
        self.runs[part] = version
        choose(self.house.folder, part, version)
        before = self.house.kill(part, signal.SIGTERM)
        until(lambda: self.house.is_back(part, before), f"{part} started anew", 30)
        if ready:
            until(lambda: self.wrong(part) == "", f"{part} ready as {version}", 60)

    def wrong(self, part: str) -> str:
        """What its readyz says is wrong; nothing when it is ready."""
        try:
            answer = httpx2.get(f"{self._url(part)}/readyz", timeout=5)
        except httpx2.TransportError as error:
            return repr(error)
        said = answer.json()
        if said["ready"]:
            return ""
        return "; ".join(str(it["wrong"]) for it in said.values() if isinstance(it, dict))

    def _url(self, part: str) -> str:
        name, _, number = part.partition("-")
        endpoints = self.house.endpoints
        return str(endpoints["dialers"][int(number) - 1] if number else endpoints[name])


def choose(folder: Path, part: str, version: Version) -> None:
    chosen = choice(folder, part)
    chosen.parent.mkdir(parents=True, exist_ok=True)
    chosen.write_text("\n".join([str(version.root), *version.runs(SERVICES[part])]))


@contextmanager
def mixed(folder: Path, first: Version = TODAY, **env: str) -> Iterator[Mixed]:
    """Every service begins in the first version."""
    for part in SERVICES:
        choose(folder, part, first)
    with house(folder, 2, ("tests.faults.versions.up",), **IMPATIENT, **env) as opened:
        yield Mixed(opened, first)
