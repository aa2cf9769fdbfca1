"""What was sent, once it is here whole: in memory while it is small, else in a file without a name.

It goes to another process as it is, without being copied; when the last who holds it ends, however,
nothing of it is left on the disk.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterable
from multiprocessing.reduction import DupFd
from typing import Any, BinaryIO, Final, Protocol, Self, cast

IN_MEMORY: Final = 256 * 1024
READ_BYTES: Final = 1024 * 1024


class Descriptor(Protocol):
    def detach(self) -> int: ...


class Content:
    def __init__(self, *, data: bytes = b"", file: BinaryIO | None = None, size: int = 0) -> None:
        self._data = data
        self._file = file
        self.size = size if file is not None else len(data)

    @classmethod
    def of(cls, file: BinaryIO, size: int) -> Self:
        """The file stays the caller's, who keeps it open for as long as this is used."""
        file.seek(0)
        if size <= IN_MEMORY:
            return cls(data=file.read())
        file.fileno()  # a spooled one goes to the disk now, not while another process reads it
        file.flush()
        return cls(file=file, size=size)

    def open(self) -> BinaryIO:
        """From the start; not two at a time."""
        if self._file is None:
            return io.BytesIO(self._data)
        self._file.seek(0)
        opened = os.fdopen(os.dup(self._file.fileno()), "rb")
        opened.seek(0)
        return opened

    def hash(self, into: "hashlib._Hash") -> None:
        with self.open() as file:
            while piece := file.read(READ_BYTES):
                into.update(piece)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        if self._file is None:
            return _in_memory, (self._data,)
        return _elsewhere, (DupFd(self._file.fileno()), self.size)


def digest(request: str, parts: Iterable[tuple[str, Content]]) -> bytes:
    """The same for the same content under the same request, whatever its boundary was."""
    total = hashlib.sha256(request.encode())
    for name, content in parts:
        part = hashlib.sha256()
        content.hash(part)
        total.update(name.encode() + b"\0" + part.digest())
    return total.digest()


def _in_memory(data: bytes) -> Content:
    return Content(data=data)


def _elsewhere(descriptor: Descriptor, size: int) -> Content:
    return Content(file=cast("BinaryIO", os.fdopen(descriptor.detach(), "rb")), size=size)
