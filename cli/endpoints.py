"""Where Rollcall answers: what `rollcall up` wrote, or what the environment says."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_FOLDER = Path(".rollcall")


class NotRunningError(Exception):
    """There is nothing to talk to; the message says what to start."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    ingest: str
    projections: str
    simulator: str | None = None
    kafka: str | None = None


def find(folder: Path = DEFAULT_FOLDER) -> Endpoints:
    """ROLLCALL_INGEST_URL and ROLLCALL_PROJECTIONS_URL, else the folder's endpoints.json."""
    ingest = os.environ.get("ROLLCALL_INGEST_URL")
    projections = os.environ.get("ROLLCALL_PROJECTIONS_URL")
    if ingest and projections:
        return Endpoints(ingest, projections)
    said = read(folder)
    try:
        return Endpoints(said["ingest"], said["projections"], said["simulator"], said["kafka"])
    except KeyError as error:
        raise _broken(folder, error) from None


def read(folder: Path) -> dict[str, Any]:
    """What `rollcall up` wrote about itself."""
    try:
        said = json.loads((folder / "endpoints.json").read_text())
    except FileNotFoundError:
        raise NotRunningError(
            f"Rollcall is not running on {folder}: start it with `rollcall up --data-dir {folder}`,"
            " or set ROLLCALL_INGEST_URL and ROLLCALL_PROJECTIONS_URL."
        ) from None
    except (ValueError, OSError) as error:
        raise _broken(folder, error) from None
    return dict(said)


def _broken(folder: Path, error: Exception) -> NotRunningError:
    return NotRunningError(
        f"{folder / 'endpoints.json'} cannot be read ({error!r}): stop `rollcall up` and"
        " start it again."
    )
