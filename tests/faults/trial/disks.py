"""A server's folder on a disk of its own that is full at a word; nothing stays mounted."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import which

import psutil

from deploy.embedded.problem import CannotStart

SOURCE = "rollcall-trial-"
MEGABYTES = 4096  # a bound, not a claim: what is not written takes no memory
PAGE = 4096


class Disks:
    """By the part whose folder it holds."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders
        self.names = tuple(folders)

    @classmethod
    @contextmanager
    def mounted(cls, folder: Path, parts: Sequence[str]) -> Iterator["Disks"]:
        _sweep()
        with ExitStack() as mounts:
            folders = {part: folder / part for part in parts}
            for each in folders.values():
                each.mkdir(parents=True)
                options = f"size={MEGABYTES}m,mode=0700"
                _run("mount", "-t", "tmpfs", "-o", options, f"{SOURCE}{os.getpid()}", str(each))
                mounts.callback(_run, "umount", "--lazy", str(each))
            yield cls(folders)

    def free(self, part: str) -> int:
        """Bytes."""
        found = os.statvfs(self._folders[part])
        return found.f_bavail * found.f_frsize

    def fill(self, part: str) -> None:
        """Takes away what is not used: nothing need be written for it, and no memory is."""
        for _ in range(100):
            found = os.statvfs(self._folders[part])
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            with suppress(subprocess.CalledProcessError):  # it grew meanwhile
                self._resize(part, f"{max(used, PAGE)}")
                return
        raise CannotStart(f"the disk of {part} grows too fast to be filled")

    def empty(self, part: str) -> None:
        self._resize(part, f"{MEGABYTES}m")

    def _resize(self, part: str, size: str) -> None:
        _run("mount", "-o", f"remount,size={size}", str(self._folders[part]))


def cannot_be_mounted() -> str:
    """Why not; nothing if it can."""
    if os.geteuid() != 0:
        return "only root may mount a disk"
    if which("mount") is None:
        return "there is no mount program"
    found = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stderr.strip()


def _sweep() -> None:
    """What a run that was killed outright has left mounted."""
    for line in Path("/proc/mounts").read_text().splitlines():
        source, where, *_ = line.split()
        owner = source.removeprefix(SOURCE)
        if owner != source and not psutil.pid_exists(int(owner)):
            with suppress(subprocess.CalledProcessError):  # another run swept it
                _run("umount", "--lazy", where)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
