"""Only jars whose sha256 stands in jars.lock reach Kafka; any other stops the start."""

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.embedded.problem import CannotStart

LOCK = Path(__file__).with_name("jars.lock")
COMPILER = Path(__file__).with_name("compiler.lock")
"""Not of Kafka's class path: it compiles the documentation's Java."""


@dataclass(frozen=True, slots=True)
class Jar:
    group: str
    artifact: str
    version: str
    sha256: str

    def path_in(self, cache: Path) -> Path:
        name = f"{self.artifact}-{self.version}.jar"
        return cache.joinpath(*self.group.split("."), self.artifact, self.version, name)


def cache_folder() -> Path:
    """Outside every data folder, so that clearing data never asks for the network again."""
    chosen = os.environ.get("ROLLCALL_CACHE")
    return Path(chosen) if chosen else Path(__file__).parents[2] / ".cache" / "jars"


def locked(lock: Path = LOCK) -> list[Jar]:
    lines = (
        line.replace(":", " ").split()
        for line in lock.read_text().splitlines()
        if not line.startswith("#")
    )
    return [Jar(*words) for words in lines]


def class_path(cache: Path, jars: Iterable[Jar]) -> str:
    """The verified jars, hashed at every start: a cache is a folder anyone may touch."""
    paths = []
    for jar in jars:
        path = jar.path_in(cache)
        if not path.is_file():
            raise CannotStart(
                f"{path.name} is missing and cannot be fetched; connect once and run `make setup`"
            )
        verify(path, jar)
        paths.append(str(path))
    return os.pathsep.join(paths)


def verify(path: Path, jar: Jar) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise CannotStart(
            f"{path} has sha256 {found[:12]}..., its lock says {jar.sha256[:12]}...; "
            "remove it and run `make setup`"
        )


def fetch(cache: Path, jars: Iterable[Jar]) -> int:
    """Fetches what the cache lacks, verified before it takes its name; says how many."""
    jars = list(jars)
    missing = [jar for jar in jars if not jar.path_in(cache).is_file()]
    for jar in jars:
        if jar not in missing:
            verify(jar.path_in(cache), jar)
    if not missing:
        return 0
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache) as arrivals, ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda jar: _fetch_one(jar, Path(arrivals), cache), missing):
            pass
    return len(missing)


def _fetch_one(jar: Jar, arrivals: Path, cache: Path) -> None:
    # Imported here: only a fetch needs the resolver, and every start imports this module.
    import requests  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=arrivals, timeout=60)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        arrived = Path(artifact.resolve())
    except (requests.RequestException, RuntimeError) as error:
        raise CannotStart(
            f"{jar.artifact}-{jar.version}.jar cannot be fetched; connect once and run `make setup`"
        ) from error
    verify(arrived, jar)
    target = jar.path_in(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    arrived.replace(target)
