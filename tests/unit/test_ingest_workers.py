"""A long list is read beside the loop; who is killed there harms only the list at hand."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from services.ingest.reading.columns import FileRefusedError
from services.ingest.uploading.content import IN_MEMORY, Content
from services.ingest.uploading.workers import LONG, WorkerLostError, Workers
from tests.running_up import is_gone, until


@dataclass(frozen=True, slots=True)
class Telling:
    """Says where it is read, and then what it was given."""

    content: Content
    size: int = LONG

    def portions(self) -> Iterator[str]:
        yield str(os.getpid())
        with self.content.open() as file:
            yield file.read(5).decode()
        raise FileRefusedError("csv_empty", "Told as it was raised.", line=7, column=8)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers(1)
    yield workers
    await workers.close()


def content(text: bytes = b"hello") -> Content:
    return Content(data=text)


async def test_a_long_list_is_read_in_another_process_and_a_short_one_here(
    workers: Workers,
) -> None:
    async with workers.reading(Telling(content())) as reading:
        assert await reading.next() != str(os.getpid())
    async with workers.reading(Telling(content(), size=LONG - 1)) as reading:
        assert await reading.next() == str(os.getpid())


async def test_what_is_wrong_comes_back_as_it_was_raised(workers: Workers) -> None:
    async with workers.reading(Telling(content())) as reading:
        await reading.next()
        assert await reading.next() == "hello"
        with pytest.raises(FileRefusedError) as refused:
            await reading.next()
    error = refused.value
    assert (error.code, error.line, error.column) == ("csv_empty", 7, 8)


async def test_a_file_without_a_name_is_read_there_too(workers: Workers, tmp_path: Path) -> None:
    path = tmp_path / "sent"
    path.write_bytes(b"there" + b"x" * IN_MEMORY)
    with path.open("rb") as file:
        path.unlink()
        sent = Content.of(file, IN_MEMORY + 5)
        async with workers.reading(Telling(sent)) as reading:
            await reading.next()
            assert await reading.next() == "there"


async def test_killed_while_it_reads_it_is_lost_and_the_next_list_is_not(workers: Workers) -> None:
    async def cut_short() -> None:
        async with workers.reading(Telling(content())) as reading:
            os.kill(int(await reading.next() or 0), signal.SIGKILL)
            await reading.next()

    with pytest.raises(WorkerLostError):
        await cut_short()
    async with workers.reading(Telling(content())) as reading:
        assert await reading.next()


async def test_killed_while_it_is_idle_nobody_notices(workers: Workers) -> None:
    async with workers.reading(Telling(content())) as reading:
        process = psutil.Process(int(await reading.next() or 0))
    process.kill()
    until(lambda: is_gone(process), "the process is gone")
    async with workers.reading(Telling(content())) as reading:
        assert await reading.next() not in {None, str(process.pid)}
