"""One ingest for all tests of a file about lists: each has lists of its own."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.conftest import databases
from tests.desk import open_desk, settings_for
from tests.list_desk import ListDesk


@pytest.fixture(scope="module")
async def lists(kafka: str, postgres: str) -> AsyncIterator[ListDesk]:
    async with databases(postgres) as database:
        settings = await settings_for(kafka, database, f"t{uuid4().hex[:10]}.")
        async with open_desk(settings) as desk:
            await desk.with_directory()
            yield ListDesk(desk)
