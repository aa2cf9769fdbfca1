"""Carries connections, and cuts, slows, silences or half closes them, whatever the ends make of it.

`python -m tests.faults.trial.wiring NAME=PORT=TARGET...` runs in a process of its own, which ends
with its standard input; each line of that is `NAME STATE`, and is answered when it is done.
"""

import asyncio
import socket
import struct
import sys
from enum import StrEnum, auto

import uvloop

from deploy.embedded.ports import HOST

LATENCY, RATE, CHUNK = 0.1, 32 * 1024, 16 * 1024
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close is a reset


class State(StrEnum):
    WHOLE = auto()
    CUT = auto()
    SLOW = auto()
    SILENT = auto()
    HALF_CLOSED = auto()


class Connection:
    """`near` is the service that connected; `far` is the server it connected to."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.is_half = False

    def half_close(self) -> None:
        self.is_half = True
        if self.far is not None:
            end(self.far)

    def reset(self) -> None:
        for writer in (self.near, self.far):
            if writer is not None and not writer.transport.is_closing():
                own = writer.get_extra_info("socket")
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                writer.transport.abort()

    def close(self) -> None:
        """What is still on its way is delivered."""
        for writer in (self.near, self.far):
            if writer is not None:
                writer.close()


class Wire:
    def __init__(self, port: int, target: int) -> None:
        self._port, self._target = port, target
        self._state = State.WHOLE
        self._changed = asyncio.Event()
        self._open: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def idle(self) -> None:
        if self._open:
            await asyncio.wait(self._open.values())

    async def become(self, state: State) -> None:
        self._state = state
        self._changed.set()
        self._changed = asyncio.Event()
        for connection in list(self._open):
            if state is State.CUT or connection.is_half:
                connection.reset()
            elif state is State.HALF_CLOSED:
                connection.half_close()
        if state is State.CUT and self._server is not None:
            self._server.close()
            self._server = None
        elif state is not State.CUT and self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self._port, backlog=1024)

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        connection = Connection(near)
        own = asyncio.current_task()
        assert own is not None
        self._open[connection] = own
        try:
            await self._carry(connection, reader)
            connection.close()
        except OSError:  # one end has gone: so has the other
            connection.reset()
        finally:
            del self._open[connection]

    async def _carry(self, connection: Connection, near: asyncio.StreamReader) -> None:
        if self._is_half_closed():
            connection.is_half = True  # taken, and never heard of again
            await self._changed.wait()
            return
        far, connection.far = await asyncio.open_connection(HOST, self._target)
        if self._is_half_closed():  # meanwhile
            connection.half_close()
        await asyncio.gather(
            self._there(connection, near, connection.far), self._back(connection, far)
        )

    def _is_half_closed(self) -> bool:
        return self._state is State.HALF_CLOSED

    async def _there(
        self, connection: Connection, near: asyncio.StreamReader, far: asyncio.StreamWriter
    ) -> None:
        while data := await near.read(CHUNK):
            await self._pace(len(data))
            if not connection.is_half:
                await send(far, data)
        if not connection.is_half:
            end(far)

    async def _back(self, connection: Connection, far: asyncio.StreamReader) -> None:
        while data := await far.read(CHUNK):
            await self._heard(connection)
            await self._pace(len(data))
            await send(connection.near, data)
        await self._heard(connection)
        end(connection.near)

    async def _heard(self, connection: Connection) -> None:
        while self._state is State.SILENT or connection.is_half:
            await self._changed.wait()
            if connection.is_half:
                raise ConnectionResetError

    async def _pace(self, size: int) -> None:
        if self._state is State.SLOW:
            await asyncio.sleep(LATENCY + size / RATE)


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    if writer.transport.is_closing():  # a write would say so by an error that is no OSError
        raise ConnectionResetError
    writer.write(data)
    await writer.drain()


def end(writer: asyncio.StreamWriter) -> None:
    """Nothing more will be sent."""
    if not writer.transport.is_closing():
        writer.write_eof()


async def _carry_all(told: list[str]) -> None:
    wires = {}
    for name, port, target in (each.split("=") for each in told):
        wires[name] = Wire(int(port), int(target))
        await wires[name].become(State.WHOLE)
    print("done", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        name, state = line.split()
        await wires[name].become(State(state))
        print("done", flush=True)
    for wire in wires.values():
        await wire.become(State.CUT)
    await asyncio.gather(*(wire.idle() for wire in wires.values()))


if __name__ == "__main__":
    uvloop.run(_carry_all(sys.argv[1:]))
