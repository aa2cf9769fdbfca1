"""Children of a test, and the ports they are given."""

import asyncio
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

DEADLINE = 40.0


@dataclass
class Process:
    """A child that is ours to freeze and to kill."""

    child: asyncio.subprocess.Process
    url: str
    output: Path

    def send(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        if self.child.returncode is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(number)
        async with asyncio.timeout(DEADLINE):
            return await self.child.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
