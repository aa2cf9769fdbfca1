"""Callbacks of one call arrive in order, each at least once, unless a fault is asked for.

Nothing is told before the ledger has it on disk.  A receiver that stays away for a minute is given
up, said loudly; the call itself never waits for its callbacks.
"""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import structlog

from simulator.behaviour import Behaviour, chance
from simulator.ledger import Entry, Ledger

Event = Literal["ringing", "answered", "ended"]

# Doubling from 0.2 s to 5 s: sixty seconds of pauses in all.
PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2, *(5.0,) * 11)
_JSON = {"Content-Type": "application/json"}
_RETRIED_FROM = 500
_TOO_MANY = 429
_FIRST_ERROR = 400
log = structlog.get_logger()


@dataclass(slots=True)
class Notice:
    event: Event
    seq: int  # the ledger entry it tells of
    body: bytes


@dataclass(slots=True)
class Line:
    """The callbacks of one call, and where they go."""

    url: str
    parties: Entry
    behaviour: Behaviour
    waiting: deque[Notice] = field(default_factory=deque)
    held: list[Notice] = field(default_factory=list)
    sending: bool = False

    def strikes(self, probability: float, fault: str, event: Event) -> bool:
        purpose = f"{fault}:{event}"
        return chance(probability, self.behaviour.seed, self.parties["call_id"], purpose)


class Callbacks:
    def __init__(self, session: aiohttp.ClientSession, ledger: Ledger) -> None:
        self._session = session
        self._ledger = ledger
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, line: Line, event: Event, entry: Entry, more: Entry) -> None:
        body = {
            "carrier_call_id": line.parties["carrier_call_id"],
            "call_id": line.parties["call_id"],
            "event": event,
            "at": entry["at"],
            **more,
        }
        line.waiting.append(Notice(event, entry["seq"], json.dumps(body).encode()))
        if not line.sending:
            line.sending = True
            task = asyncio.get_running_loop().create_task(self._drain(line))
            self._tasks.add(task)
            task.add_done_callback(self._drained)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _drained(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callbacks_stopped", error=type(error).__name__)

    async def _drain(self, line: Line) -> None:
        faults = line.behaviour.faults
        while line.waiting:
            notice = line.waiting.popleft()
            if notice.event != "ended" and line.strikes(
                faults.reordered_callback, "reordered", notice.event
            ):
                line.held.append(notice)
                continue
            await self._deliver(line, notice)
            while line.held:
                await self._deliver(line, line.held.pop())
        line.sending = False

    async def _deliver(self, line: Line, notice: Notice) -> None:
        faults = line.behaviour.faults
        if line.strikes(faults.late_callback, "late", notice.event):
            await asyncio.sleep(faults.late_seconds)
        await self._ledger.durable(notice.seq)
        copies = 1 + line.strikes(faults.duplicate_callback, "duplicate", notice.event)
        for _ in range(copies):
            delivered = await self._send(line, notice)
            self._ledger.append(
                "callback", {**line.parties, "event": notice.event, "delivered": delivered}
            )

    async def _send(self, line: Line, notice: Notice) -> bool:
        status = await self._post(line.url, notice.body)
        for pause in PAUSES:
            if status is not None and status < _RETRIED_FROM and status != _TOO_MANY:
                break
            await asyncio.sleep(pause)
            status = await self._post(line.url, notice.body)
        if status is None or status >= _FIRST_ERROR:
            carrier_call_id = line.parties["carrier_call_id"]
            log.error(
                "callback_given_up",
                carrier_call_id=carrier_call_id,
                callback=notice.event,
                status=status,
            )
            return False
        return True

    async def _post(self, url: str, body: bytes) -> int | None:
        """The status answered, or None where there was no answer."""
        try:
            async with self._session.post(
                url, data=body, headers=_JSON, allow_redirects=False
            ) as answer:
                await answer.read()  # else the connection could not be used again
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.debug("callback_failed", error=type(error).__name__)
            return None
