"""What a data folder has lost is said before anything is made anew in its place.

A new log, new databases or a new key beside the old rest would look well, and open or know nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGES: Final = "docs/operations"


@dataclass(frozen=True, slots=True)
class Loss:
    what: str
    found: str
    do: str


def losses(path: Path) -> list[Loss]:
    """Nothing for a folder that has never been up: its key is made when all servers are there."""
    return [loss(path) for is_lost, loss in _KINDS if is_lost(path)]


def _was_up(path: Path) -> bool:
    return (path / "key").exists()


def _log_is_lost(path: Path) -> bool:
    kafka = path / "kafka"
    made = (kafka / "formatted").exists() and (kafka / "log" / "meta.properties").exists()
    known = (kafka / "log" / "__cluster_metadata-0").exists()  # else Kafka deletes every topic
    return (not made and (kafka / "formatted").exists()) or (_was_up(path) and not (made and known))


def _databases_are_lost(path: Path) -> bool:
    return _was_up(path) and not (path / "postgres" / "data" / "PG_VERSION").exists()


def _key_is_lost(path: Path) -> bool:
    return not _was_up(path) and any((path / "kafka" / "log").glob("rollcall.*"))


def _log(path: Path) -> Loss:
    return Loss(
        "log",
        f"Kafka's folder {path / 'kafka'} is lost, and with it every event: they are nowhere else",
        "Put back its newest copy; one older than what the services have read is refused, since"
        " whoever was called since then would be called again. Without one, what was read so far is"
        f" left in the databases, and nothing can go on: see {PAGES}/lost-log.md.",
    )


def _databases(path: Path) -> Loss:
    return Loss(
        "databases",
        f"PostgreSQL's folder {path / 'postgres'} is lost, and with it the vault: no name or number"
        " in the log can be opened",
        "Put back a copy of it: all but the vault's keys is then read up from the log. See"
        f" {PAGES}/lost-databases.md and {PAGES}/lost-vault.md.",
    )


def _key(path: Path) -> Loss:
    return Loss(
        "key",
        f"{path / 'key'} is lost: it wraps the keys of the vault, and nothing opens without it",
        f"Put back a copy of it; no other will do. See {PAGES}/lost-vault.md.",
    )


_KINDS: Final[tuple[tuple[Callable[[Path], bool], Callable[[Path], Loss]], ...]] = (
    (_log_is_lost, _log),
    (_databases_are_lost, _databases),
    (_key_is_lost, _key),
)
