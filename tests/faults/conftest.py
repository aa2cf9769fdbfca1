"""One Rollcall that all the fault tests share: what one of them broke, the next would find.

And dialers alone, under a scheduler that a test plays.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import DatabaseFactory
from tests.dialing import Dialing, dialing
from tests.house import House
from tests.house import house as whole_house
from tests.promises import keeps_its_promises

IMPATIENT = {"ROLLCALL_UNKNOWN_HORIZON_SECONDS": "3", "ROLLCALL_SILENCE_SECONDS": "2"}
# Grants wait for their turn, so that both dialers have some in hand whenever one is frozen.
UNHURRIED = {"ROLLCALL_CARRIER_CALLS_PER_SECOND": "40"}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("faults") / "data"
    with whole_house(folder, dialers=2, **IMPATIENT, **UNHURRIED) as opened:
        yield opened
        keeps_its_promises(opened)


@pytest.fixture
async def house(
    kafka: str, database: DatabaseFactory, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Dialing]:
    """With phones that answer, and no dialer yet."""
    async with dialing(kafka, topic_prefix, database, tmp_path) as house:
        await house.start_phones()
        yield house
