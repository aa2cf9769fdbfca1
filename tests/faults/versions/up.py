"""`rollcall up`, but each service runs in the version that is chosen for it."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from chassis.logging import configure
from cli.up import run
from deploy.embedded.infrastructure import Infrastructure
from deploy.embedded.services import Plan, Service, rollcall

CHOSEN = "tests.faults.versions.chosen"


def mixed(dialers: int) -> Plan:
    def plan(infra: Infrastructure) -> Sequence[Sequence[Service]]:
        carrier, ours = rollcall(dialers)(infra)
        told = ("-m", CHOSEN, str(infra.folder.path))
        return [
            carrier,
            [replace(it, arguments=(*told, it.name, *it.arguments)) for it in ours],
        ]

    return plan


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--dialers", type=int, required=True)
    asked = parser.parse_args()
    configure("up", "console", "warning")
    return asyncio.run(run(asked.data_dir, mixed(asked.dialers)))


if __name__ == "__main__":
    sys.exit(main())
