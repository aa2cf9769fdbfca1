"""A deployment runs two versions on one database: what older code needs is not taken from it."""

import re
from pathlib import Path

import pytest

from chassis.migrations import BREAKS, steps_in

ROOT = Path(__file__).parents[2]
TAKES_AWAY = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|DEFAULT|VIEW|FUNCTION)\b|\bRENAME\b|\bSET\s+NOT\s+NULL\b",
    re.IGNORECASE,
)
BEFORE_THE_FIRST_VERSION = {"0003_lists", "0004_life", "0004_dormant", "0100_generations"}
FOLDERS = sorted(
    folder
    for folder in ROOT.glob("*/**/*migrations")
    if "tests" not in folder.parts and ".venv" not in folder.parts
)
SHARED = [path for path in FOLDERS if path.parent.name != "projections"]
"""A read model is made anew, beside the one that older code reads."""


@pytest.mark.parametrize("folder", [*SHARED, ROOT / "services/projections/migrations/working"])
def test_a_step_that_takes_something_from_older_code_says_so_in_its_name(folder: Path) -> None:
    for step in steps_in(folder):
        sql = re.sub(r"--.*", "", step.sql)
        says_so = step.name.endswith(BREAKS) or step.name in BEFORE_THE_FIRST_VERSION
        assert says_so or not TAKES_AWAY.search(sql), step.name


def test_what_takes_something_away_is_told_from_what_adds() -> None:
    assert TAKES_AWAY.search("ALTER TABLE calls DROP COLUMN cause")
    assert TAKES_AWAY.search("ALTER TABLE calls RENAME cause TO reason")
    assert not TAKES_AWAY.search("ALTER TABLE calls ADD COLUMN reason text NOT NULL DEFAULT ''")
