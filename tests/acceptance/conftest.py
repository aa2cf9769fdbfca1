"""One house for all that only use it; each module sets its account and its carrier up anew.

Whatever was asked of it, its log keeps every promise in the end.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.house import ROOT, House, house


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("standing") / "data", dialers=2) as opened:
        yield opened
        keeps_its_promises(opened)


def keeps_its_promises(opened: House) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "--json", "--data-dir", opened.folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert said.returncode == 0, said.stderr or json.loads(said.stdout)["breaches"]
