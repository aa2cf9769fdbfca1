"""Whatever was done to a house, its log keeps every promise: asked as its people would ask."""

import json
import subprocess
import sys

from tests.house import ROOT, House


def keeps_its_promises(house: House) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "--json", "--data-dir", house.folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert said.returncode == 0, said.stderr or json.loads(said.stdout)["breaches"]
