"""One house for all that only use it; each module sets its account and its carrier up anew.

Whatever was asked of it, its log keeps every promise in the end.
"""

from collections.abc import Iterator

import pytest

from tests.house import House, house
from tests.promises import keeps_its_promises


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("standing") / "data", dialers=2) as opened:
        yield opened
        keeps_its_promises(opened)
