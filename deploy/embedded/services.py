"""What runs on top of Kafka and PostgreSQL, in which order, and what each is told."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp

from deploy.embedded.infrastructure import Infrastructure
from deploy.embedded.parts import Part
from deploy.embedded.ports import HOST
from deploy.embedded.processes import Command

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Service:
    """A program of ours with an HTTP port; `database` is the one it owns, if any."""

    name: str
    arguments: tuple[str, ...]
    ready_path: str = "/readyz"
    database: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def url(self, infra: Infrastructure) -> str:
        return f"http://{HOST}:{infra.ports.claim(self.name)}"


Plan = Callable[[Infrastructure], Sequence[Sequence[Service]]]
"""Stages: what stands in one starts together, once all before it are ready."""


def rollcall(dialers: int) -> Plan:
    def plan(infra: Infrastructure) -> Sequence[Sequence[Service]]:
        ledger = infra.folder.path / "simulator" / "ledger.jsonl"
        ledger.parent.mkdir(exist_ok=True)
        told = {"ROLLCALL_LEDGER": str(ledger)}
        simulator = Service("simulator", ("-m", "simulator"), ready_path="/healthz", env=told)
        carrier = simulator.url(infra)
        return [
            [simulator],
            [
                _of_ours("ingest"),
                _of_ours("scheduler"),
                *(_dialer(number, infra, carrier) for number in range(1, dialers + 1)),
                _of_ours("projections"),
            ],
        ]

    return plan


def _of_ours(name: str) -> Service:
    return Service(name, ("-m", f"services.{name}"), database=name)


def _dialer(number: int, infra: Infrastructure, carrier: str) -> Service:
    name = f"dialer-{number}"
    told = {
        "ROLLCALL_CARRIER_URL": carrier,
        "ROLLCALL_CALLBACK_URL": f"http://{HOST}:{infra.ports.claim(name)}",
    }
    return Service(name, ("-m", "services.dialer"), database="dialer", env=told)


def part(service: Service, infra: Infrastructure, client: aiohttp.ClientSession) -> Part:
    ready = service.url(infra) + service.ready_path

    said = ""

    async def is_ready() -> bool:
        nonlocal said
        try:
            async with client.get(ready) as answer:
                said = await answer.text()
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError):
            return False

    command = Command(
        name=service.name,
        argv=(sys.executable, *service.arguments),
        log=infra.folder.logs / f"{service.name}.log",
        env=environment(service, infra),
    )
    return Part(command, is_ready, lambda: said)


def environment(service: Service, infra: Infrastructure) -> dict[str, str]:
    """Beside these a service sees our own environment, where tests shorten its horizons."""
    told = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1",
        "ROLLCALL_KAFKA": infra.kafka,
        "ROLLCALL_VAULT_DSN": infra.postgres_dsn("vault"),
        "ROLLCALL_KEY_ENCRYPTION_KEY": infra.folder.key(),
        "ROLLCALL_HTTP_HOST": HOST,
        "ROLLCALL_HTTP_PORT": str(infra.ports.claim(service.name)),
    }
    if service.database is not None:
        told["ROLLCALL_POSTGRES_DSN"] = infra.postgres_dsn(service.database)
    return {**told, **service.env}
