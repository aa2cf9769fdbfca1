"""The map of the house is enforced: every rule of .importlinter fails once it is broken."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
ROOMS = ("contracts", "audit", "chassis", "services", "simulator", "cli", "deploy")

BREACHES = {
    "services-apart": ("services/dialer/domain.py", "import services.ingest.settings"),
    "contracts-pure": ("contracts/sealed.py", "import asyncio"),
    "audit-pure": ("audit/slots.py", "import services.scheduler.domain.fairness"),
    "domains-pure": ("services/scheduler/domain/fairness.py", "import asyncpg"),
    "chassis-below": ("chassis/settings.py", "import services.ingest.settings"),
    "simulator-apart": ("simulator/behaviour.py", "import contracts.ids"),
    "services-below": ("services/projections/settings.py", "import simulator"),
}


@pytest.fixture(scope="module")
def rules() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(HOUSE / ".importlinter")
    return parser


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_house_stands(rules: configparser.ConfigParser) -> None:
    said = lint(HOUSE)
    assert said.returncode == 0, said.stdout
    assert f"Contracts: {len(BREACHES)} kept, 0 broken." in said.stdout


def test_every_rule_has_a_breach_here(rules: configparser.ConfigParser) -> None:
    names = {s.rpartition(":")[2] for s in rules.sections() if s.startswith("importlinter:")}
    assert names == set(BREACHES)


@pytest.mark.parametrize("rule", BREACHES)
def test_a_breach_is_found(rule: str, rules: configparser.ConfigParser, tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(HOUSE / room, tmp_path / room, ignore=shutil.ignore_patterns("*.json"))
    shutil.copy(HOUSE / ".importlinter", tmp_path)
    file, line = BREACHES[rule]
    broken = tmp_path / file
    assert broken.exists()
    broken.write_text(f"{broken.read_text()}\n{line}\n")
    said = lint(tmp_path)
    assert said.returncode == 1
    assert f"{rules[f'importlinter:contract:{rule}']['name']} BROKEN" in said.stdout
