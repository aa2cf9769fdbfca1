"""Everything is up when endpoints.json is there; nothing is left when `supervised` has ended."""

import itertools
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from deploy.embedded.infrastructure import DATABASES, Infrastructure, infrastructure
from deploy.embedded.parts import Keeper, start_together, stop_together, untold
from deploy.embedded.services import Plan, Service, part

log = structlog.get_logger()
PROBE_SECONDS = aiohttp.ClientTimeout(total=2)


@dataclass(frozen=True, slots=True)
class Supervisor:
    infra: Infrastructure
    services: Sequence[Service]
    keepers: Sequence[Keeper]

    def endpoints(self) -> dict[str, Any]:
        urls = {service.name: service.url(self.infra) for service in self.services}
        dialers = [url for name, url in urls.items() if name.startswith("dialer-")]
        return {
            **{name: url for name, url in urls.items() if url not in dialers},
            "dialers": dialers,
            "kafka": self.infra.kafka,
            "postgres": self.infra.postgres_dsn(),
            "databases": {name: self.infra.postgres_dsn(name) for name in DATABASES},
            "pids": {"up": os.getpid(), **{k.part.command.name: k.pid for k in self.keepers}},
        }

    def write_endpoints(self) -> None:
        """Written aside and renamed: who waits for the file never reads half of it."""
        fresh = self.infra.folder.path / "endpoints.new"
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(self.endpoints(), indent=2) + "\n")
        fresh.rename(self.infra.folder.endpoints)

    def rewrite_endpoints(self, restarted: Keeper) -> None:
        """Old pids mislead for a while where the disk is full; a part unwatched would be worse."""
        try:
            self.write_endpoints()
        except OSError as error:
            name = restarted.part.command.name
            log.error("endpoints_not_written", part=name, reason=error.strerror)  # noqa: TRY400


@asynccontextmanager
async def supervised(
    data_dir: Path, plan: Plan, tell: Callable[[Keeper], None] = untold
) -> AsyncIterator[Supervisor]:
    """Starts all, stage by stage, and keeps it running; `tell` hears of each part that is ready."""
    async with (
        infrastructure(data_dir, tell=tell) as infra,
        aiohttp.ClientSession(timeout=PROBE_SECONDS) as client,
    ):
        stages = plan(infra)
        started: list[list[Keeper]] = []
        try:
            for stage in stages:
                keepers = [Keeper(part(service, infra, client), tell) for service in stage]
                started.append(keepers)
                await start_together(keepers)
            supervisor = Supervisor(
                infra,
                list(itertools.chain(*stages)),
                [*infra.keepers, *itertools.chain(*started)],
            )
            for keeper in supervisor.keepers:
                keeper.changed = supervisor.rewrite_endpoints
            supervisor.write_endpoints()
            yield supervisor
        finally:
            for keeper in (*infra.keepers, *itertools.chain(*started)):
                keeper.changed = untold
            infra.folder.endpoints.unlink(missing_ok=True)
            for keepers in reversed(started):
                await stop_together(keepers)
