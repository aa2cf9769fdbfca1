"""SQL stands under names."""

from pathlib import Path

import pytest

from chassis.queries import load_queries
from chassis.wake import Alarm

TEXT = """-- Of a service.
-- name: one
-- What it gives.
SELECT a[1:2];

-- name: two
SELECT ':not a parameter'
"""


def test_each_query_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "queries.sql").write_text(TEXT)
    queries = load_queries(tmp_path / "store.py")
    assert queries.one == "-- What it gives.\nSELECT a[1:2]"
    assert queries.two == "SELECT ':not a parameter'"


def test_a_misspelt_or_doubled_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "queries.sql"
    file.write_text(TEXT)
    with pytest.raises(AttributeError, match=r"no query named 'three' in queries\.sql"):
        load_queries(file).three  # noqa: B018 - to look is to fail
    file.write_text(TEXT + TEXT)
    with pytest.raises(ValueError, match="two queries named 'one'"):
        load_queries(file)


async def test_a_ring_before_the_wait_is_not_lost() -> None:
    alarm = Alarm()
    alarm.ring()
    assert await alarm.wait_for(10)
    assert not await alarm.wait_for(0.001), "and it is heard once"
