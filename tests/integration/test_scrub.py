"""Two scrubs at once would wait for each other's tables: the second is told to wait."""

import pytest

from cli.scrub import AtWorkError, alone
from tests.conftest import DatabaseFactory


async def test_one_scrub_at_a_time(database: DatabaseFactory) -> None:
    vault = await database()
    async with alone(vault):
        with pytest.raises(AtWorkError, match="wait for its end"):
            async with alone(vault):
                pytest.fail("both at once")
    async with alone(vault):
        pass
