"""All of Rollcall as its users run it, in a folder of its own, and the ledger to judge it.

Nothing here looks into our tables: what is asked goes through HTTP, what happened is the ledger's.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
import httpx2
import psutil

from tests.ledger import Ledger
from tests.running_up import is_gone

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
TERMINAL = {"COMPLETED", "CANCELLED", "FAILED"}
ALWAYS: Json = {
    "start": "00:00",
    "end": "24:00",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "timezone": "UTC",
}
QUICK: Json = {"ring_seconds": [0.02, 0.1], "talk_seconds": [0.05, 0.3]}
AGENT, CALLER = "reminders", "+442079460000"
_AREAS = (202, 212, 303, 305, 312, 404, 415, 503, 512, 602, 615, 617, 702, 713, 718, 801, 816, 901)
_EXCHANGES = [n for n in range(220, 990) if n % 100 != 11 and n not in (555, 950, 976)]


def until(condition: Callable[[], bool], what: str, seconds: float, every: float = 0.1) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(every)


def numbers(count: int, endings: tuple[str, ...]) -> list[str]:
    """That many different valid numbers, their endings taken in turn."""
    places = ((area, exchange) for exchange in _EXCHANGES for area in _AREAS)
    return [
        f"+1{area}{exchange}{endings[n % len(endings)]}"
        for n, (area, exchange) in zip(range(count), places, strict=False)
    ]


def csv_of(rows: list[str]) -> bytes:
    lines = (f"{number},Person {n},Plan {n % 3}" for n, number in enumerate(rows, 1))
    return "\n".join(["phone_number,name,plan", *lines, ""]).encode()


class House:
    """`up` is the module that is run with the arguments of `rollcall up`."""

    def __init__(self, folder: Path, dialers: int, up: Sequence[str], **env: str) -> None:
        self.folder = folder
        self.output = folder.parent / f"{folder.name}.out"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *up, "--data-dir", folder, "--dialers", str(dialers)],
                cwd=ROOT,
                env={**os.environ, **env},
                stdout=output,
                stderr=output,
            )
        self._http = httpx2.Client(timeout=60)
        try:
            until(self._is_ready, "everything ready", 150)
        except BaseException:
            self.stop()
            raise

    def _is_ready(self) -> bool:
        ended = self.process.poll() is not None
        assert not ended, self.output.read_text()
        if not (self.folder / "endpoints.json").exists():
            return False
        return bool(self.pid("up") == self.process.pid)  # not what a killed one has left

    @property
    def endpoints(self) -> Json:
        found: Json = json.loads((self.folder / "endpoints.json").read_text())
        return found

    def pid(self, part: str) -> int:
        return int(self.endpoints["pids"][part])

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends the signal to a part and gives the pid it had."""
        pid = self.pid(part)
        os.kill(pid, number)
        return pid

    def is_back(self, part: str, before: int) -> bool:
        return self.pid(part) != before and psutil.pid_exists(self.pid(part))

    @contextmanager
    def frozen(self, part: str) -> Iterator[int]:
        pid = self.kill(part, signal.SIGSTOP)
        try:
            yield pid
        finally:
            os.kill(pid, signal.SIGCONT)

    def die(self) -> None:
        """The supervisor is killed outright; all that it started dies with it."""
        pids = [pid for part, pid in self.endpoints["pids"].items() if part != "up"]
        children = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
        self.process.kill()
        self.process.wait()
        until(lambda: all(is_gone(child) for child in children), "the children gone", 30)

    def behave(self, **behaviour: Any) -> None:
        answer = self._http.put(f"{self.endpoints['simulator']}/behaviour", json=behaviour)
        answer.raise_for_status()

    def prepare(self, concurrency: int) -> None:
        """An account with a limit, an agent and a caller id."""
        self.command("PUT", "/v1/account", {"concurrency": concurrency, "default_window": ALWAYS})
        self.command("PUT", f"/v1/phone-numbers/{CALLER}", {"outbound": True})
        agent = {"name": "Reminders", "phone_number": CALLER, "active": True}
        self.command("PUT", f"/v1/agents/{AGENT}", agent)

    def command(self, method: str, path: str, body: Json) -> Json:
        answer = self._answer(method, "ingest", path, json=body)
        return dict(answer.json() if answer.content else {})

    def upload(
        self, rows: bytes | BinaryIO, headers: dict[str, str] | None = None, **batch: Any
    ) -> httpx2.Response:
        settings = {"name": "Test", "agent_id": AGENT, **batch}
        return self._http.post(
            f"{self.endpoints['ingest']}/v1/batches",
            files={"file": ("list.csv", rows, "text/csv")},
            data={"batch": json.dumps(settings)},
            headers=headers or {},
        )

    def post(self, path: str, **request: Any) -> httpx2.Response | None:
        """One try; None while nobody answers, or the key is held by one who died."""
        try:
            answer = self._http.post(self.endpoints["ingest"] + path, **request)
        except httpx2.TransportError:
            return None
        busy = (httpx2.codes.CONFLICT, httpx2.codes.SERVICE_UNAVAILABLE)
        return None if answer.status_code in busy else answer

    def create(self, rows: bytes, **batch: Any) -> str:
        """The id of a batch whose reads are there."""
        answer = self.upload(rows, **batch)
        assert answer.status_code == httpx2.codes.ACCEPTED, answer.text
        return self.seen(answer)

    def seen(self, accepted: httpx2.Response) -> str:
        """The id of the batch that was accepted, once its reads are there."""
        batch_id = str(accepted.json()["batch_id"])
        position = accepted.headers["Rollcall-Position"]
        self.read(f"/v1/batches/{batch_id}", headers={"Rollcall-Min-Position": position})
        return batch_id

    def read(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Json:
        answer = self._answer("GET", "projections", path, params=query, headers=headers or {})
        return dict(answer.json())

    def _answer(self, method: str, service: str, path: str, **request: Any) -> httpx2.Response:
        """Waits while the service is being restarted, or says that it is not ready."""
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = self._http.request(method, self.endpoints[service] + path, **request)
                if answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                    assert answer.is_success, answer.text
                    return answer
                met = answer.text
            except httpx2.TransportError as error:
                met = repr(error)
            assert time.monotonic() < deadline, f"no answer to {method} {path}: {met}"
            time.sleep(0.2)

    def all_of(self, path: str, **query: Any) -> list[Json]:
        page = self.read(path, limit=500, **query)
        found: list[Json] = page["data"]
        while page["next_cursor"]:
            page = self.read(path, limit=500, cursor=page["next_cursor"], **query)
            found += page["data"]
        return found

    def until_over(self, batch_id: str, seconds: float) -> Json:
        state: Json = {}

        def is_over() -> bool:
            state.update(self.read(f"/v1/batches/{batch_id}"))
            return state["status"] in TERMINAL

        try:
            until(is_over, "the batch over", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}; last seen {state}") from None
        return state

    def ledger(self, after: int = 0) -> Ledger:
        url = f"{self.endpoints['simulator']}/ledger"
        lines = self._http.get(url, params={"after": after}).text
        return Ledger([json.loads(line) for line in lines.splitlines()])

    def seq(self) -> int:
        """Of the newest entry of the ledger."""
        entries = self.ledger().entries
        return int(entries[-1]["seq"]) if entries else 0

    def moment(self, database: str, query: str) -> Any:
        """A value of our tables: to find the moment for a fault, never to judge by."""
        return asyncio.run(_value(self.endpoints["databases"][database], query))

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self._http.close()
        return self.process.wait(timeout=60)


async def _value(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@contextmanager
def house(
    folder: Path, dialers: int = 1, up: Sequence[str] = ("cli", "up"), **env: str
) -> Iterator[House]:
    opened = House(folder, dialers, up, **env)
    try:
        yield opened
    finally:
        opened.stop()
