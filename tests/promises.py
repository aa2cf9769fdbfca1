"""Whatever was done to a house, its log keeps every promise: asked as its people would ask."""

import json
import subprocess
import sys
from collections.abc import Sequence

from tests.house import ROOT, House


def keeps_its_promises(house: House, audit: Sequence[str] = ("cli",)) -> None:
    """`audit` is the module that is run with the arguments of `rollcall`."""
    said = subprocess.run(
        [sys.executable, "-m", *audit, "audit", "--json", "--data-dir", house.folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert said.returncode == 0, said.stderr or json.loads(said.stdout)["breaches"]
