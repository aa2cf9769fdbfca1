"""One ingest for all tests of a file: each has lists or batches of its own."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from tests.conftest import databases
from tests.desk import Desk, open_desk, settings_for
from tests.list_desk import ListDesk
from tests.others import patience


@pytest.fixture(scope="module")
async def shared_desk(kafka: str, postgres: str) -> AsyncIterator[Desk]:
    async with databases(postgres) as database:
        settings = await settings_for(kafka, database, f"t{uuid4().hex[:10]}.")
        async with open_desk(settings) as desk:
            await desk.with_directory()
            yield desk


@pytest.fixture(scope="module")
def lists(shared_desk: Desk) -> ListDesk:
    return ListDesk(shared_desk)


@pytest.fixture(scope="module")
def patient_desk(shared_desk: Desk) -> Iterator[Desk]:
    """Whoever asks of a batch waits until somebody answers."""
    with patience(30):
        yield shared_desk
