"""One supervisor a data folder: the kernel holds the lock, so it is gone with its holder."""

import base64
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.problem import CannotStart
from deploy.embedded.secret import keep

FREE_MEGABYTES = 512
LONGEST_PATH = 180  # Kafka puts topic and segment names behind it; a name has its limit too


@dataclass(frozen=True, slots=True)
class DataFolder:
    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def endpoints(self) -> Path:
        return self.path / "endpoints.json"

    def key(self) -> str:
        """The key-encryption key, made once: without it nothing sealed here opens again."""
        file = self.path / "key"
        if not file.exists():
            keep(file, base64.b64encode(secrets.token_bytes(32)).decode(), os.geteuid())
        return file.read_text()

    @classmethod
    @contextmanager
    def taken(cls, path: Path) -> Iterator["DataFolder"]:
        if sys.platform != "linux":
            raise CannotStart("the embedded servers need Linux; elsewhere run Kafka and PostgreSQL")
        path = path.absolute()
        _check_name(path)
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            (path / "logs").mkdir(exist_ok=True)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CannotStart(f"{path} cannot be used: {error.strerror}") from error
        try:
            _lock(lock, path)
            _check_space(path)
            folder = cls(path)
            folder.endpoints.unlink(missing_ok=True)  # of a start that was killed
            yield folder
        finally:
            os.close(lock)


def _check_name(path: Path) -> None:
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise CannotStart(
            f"the path of the data folder is longer than {LONGEST_PATH} bytes; choose a shorter one"
        )


def _check_space(path: Path) -> None:
    free = shutil.disk_usage(path).free // 2**20
    if free < FREE_MEGABYTES:
        raise CannotStart(f"{path} has {free} MB free; {FREE_MEGABYTES} MB are needed to start")


def _lock(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 32, 0).decode() or "unknown"
        raise CannotStart(f"{path} is in use by another rollcall, pid {holder}") from error
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
