"""One Rollcall that all the fault tests share: what one of them broke, the next would find."""

from collections.abc import Iterator

import pytest

from tests.house import House, house
from tests.promises import keeps_its_promises

IMPATIENT = {"ROLLCALL_UNKNOWN_HORIZON_SECONDS": "3", "ROLLCALL_SILENCE_SECONDS": "2"}
# Grants wait for their turn, so that both dialers have some in hand whenever one is frozen.
UNHURRIED = {"ROLLCALL_CARRIER_CALLS_PER_SECOND": "40"}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("faults") / "data"
    with house(folder, dialers=2, **IMPATIENT, **UNHURRIED) as opened:
        yield opened
        keeps_its_promises(opened)
