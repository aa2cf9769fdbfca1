"""A part keeps its port from one start to the next as long as nobody else has taken it."""

import json
import random
import socket
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import Field, TypeAdapter, ValidationError

from deploy.embedded.problem import CannotStart

HOST = "127.0.0.1"
# Below the range that systems hand to outgoing connections: a port found free here stays free
# until its server binds it, however many clients dial meanwhile.
CANDIDATES = range(15_000, 32_000)
REMEMBERED = TypeAdapter(dict[str, Annotated[int, Field(ge=1, le=65_535)]])
log = structlog.get_logger()


class Ports:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._remembered = _remembered(file)
        self._claimed: dict[str, int] = {}

    def claim(self, name: str) -> int:
        if name not in self._claimed:
            self._claimed[name] = self._choose(name)
            written = self._file.with_suffix(".new")
            written.write_text(json.dumps(self._remembered | self._claimed))
            written.replace(self._file)
        return self._claimed[name]

    def _choose(self, name: str) -> int:
        remembered = self._remembered.get(name)
        if remembered is not None and is_free(remembered):
            return remembered
        taken = {*self._remembered.values(), *self._claimed.values()}
        for port in random.sample(CANDIDATES, 200):
            if port not in taken and is_free(port):
                return port
        raise CannotStart(f"no free port for {name}: 200 ports of {HOST} tried, all busy")


def _remembered(file: Path) -> dict[str, int]:
    """A convenience: where the file is damaged others are taken."""
    if not file.exists():
        return {}
    try:
        return REMEMBERED.validate_json(file.read_bytes())
    except ValidationError:
        log.warning("ports_not_remembered", file=str(file), instead="others are taken")
        return {}


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
