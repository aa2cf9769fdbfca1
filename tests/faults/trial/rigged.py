"""`rollcall up` whose services reach all they need by wires, under clocks and in variants given.

`python -m tests.faults.trial.rigged RIG --data-dir FOLDER --dialers N`, where RIG is JSON.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import cyclopts
import uvloop
from pydantic import BaseModel

from chassis.logging import configure
from cli.up import run
from deploy.embedded import kafka
from deploy.embedded.infrastructure import Infrastructure
from deploy.embedded.ports import HOST
from deploy.embedded.services import Plan, Service, rollcall

PLAIN = "listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}"
TOLD = "advertised.listeners=PLAINTEXT://{host}:{port}"


class Rig(BaseModel):
    wires: dict[str, int]
    """By `service/server`: the port where the service finds it."""
    listeners: dict[str, int]
    """By service: the broker's own port at the far end of the service's wire."""
    modules: dict[str, str]
    """By service: what is run in its place, with its name behind it."""
    env: dict[str, dict[str, str]]


def listening(properties: str, rig: Rig) -> str:
    """A client dials the address it is told: so each service is told that of its own wire."""
    names = {service: service.replace("-", "_").upper() for service in rig.listeners}
    own = [f",{names[each]}://{HOST}:{port}" for each, port in rig.listeners.items()]
    told = [f",{names[each]}://{HOST}:{rig.wires[each + '/kafka']}" for each in rig.listeners]
    known = ["CONTROLLER", "PLAINTEXT", *names.values()]
    assert PLAIN in properties, "the broker's settings have changed"
    assert TOLD in properties, "the broker's settings have changed"
    return "\n".join(
        [
            properties.replace(TOLD, TOLD + "".join(told)).replace(PLAIN, PLAIN + "".join(own)),
            "listener.security.protocol.map=" + ",".join(f"{name}:PLAINTEXT" for name in known),
            "inter.broker.listener.name=PLAINTEXT",
            "",
        ]
    )


def rigged(dialers: int, rig: Rig) -> Plan:
    def plan(infra: Infrastructure) -> Sequence[Sequence[Service]]:
        return [
            [replaced(service, infra, rig) if service.database else service for service in stage]
            for stage in rollcall(dialers)(infra)
        ]

    return plan


def replaced(service: Service, infra: Infrastructure, rig: Rig) -> Service:
    name, database = service.name, service.database
    assert database is not None
    told = {
        "ROLLCALL_KAFKA": f"{HOST}:{rig.wires[name + '/kafka']}",
        "ROLLCALL_POSTGRES_DSN": by_wire(infra.postgres_dsn(database), name, rig.wires),
        "ROLLCALL_VAULT_DSN": by_wire(infra.postgres_dsn("vault"), name, rig.wires),
    }
    if carrier := rig.wires.get(f"{name}/carrier"):
        told["ROLLCALL_CARRIER_URL"] = f"http://{HOST}:{carrier}"
    module = rig.modules.get(name)
    arguments = ("-m", module, name) if module else service.arguments
    return replace(
        service, arguments=arguments, env={**service.env, **told, **rig.env.get(name, {})}
    )


def by_wire(dsn: str, service: str, wires: Mapping[str, int]) -> str:
    parts = urlsplit(dsn)
    account = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{account}@{HOST}:{wires[service + '/postgres']}").geturl()


def main(rig: str, *, data_dir: Path, dialers: int) -> None:
    configure("up", "console", "warning")
    told = Rig.model_validate(json.loads(rig))
    vars(kafka)["PROPERTIES"] = listening(kafka.PROPERTIES, told)
    sys.exit(uvloop.run(run(data_dir, rigged(dialers, told))))


if __name__ == "__main__":
    cyclopts.run(main)
