"""The life of batches over HTTP: what is asked and answered, and what the phone network saw of it.

A call lasts until the test hangs up, so that nothing depends on how fast anything goes.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2

from tests.house import AGENT, ALWAYS, CALLER, House, Json, numbers, until
from tests.ledger import Ledger

T = TypeVar("T")
ENDLESS: Json = {"seed": 1, "outcomes": {"answered": 1}, "ring_seconds": 0.02, "talk_seconds": 3600}
BRIEF: Json = {**ENDLESS, "talk_seconds": 0.05}
ENDED = {"completed", "cancelled", "failed"}
"""The phases in which nothing goes on any more."""
SOON = 30.0
_unused = iter(numbers(13_000, ("0001",))[2_000:])


def people(count: int, *endings: str) -> list[str]:
    """Numbers nobody else has; they answer, unless their endings say otherwise."""
    taken = endings or ("0001",)
    return [next(_unused)[:-4] + taken[n % len(taken)] for n in range(count)]


def later(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [made.result() for made in [pool.submit(call) for call in calls]]


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    body: Json
    position: str | None

    @property
    def verdict(self) -> tuple[int, str | None]:
        """The code, and the refusal's word where it is one."""
        return self.code, self.body.get("code")


def _not_before(since: Answer | None) -> dict[str, str]:
    return {"Rollcall-Min-Position": since.position} if since and since.position else {}


class Life:
    def __init__(self, house: House) -> None:
        self.house = house
        self._http = httpx2.Client(timeout=60)

    def create(self, called: Sequence[str], **batch: Any) -> str:
        answer = self.try_create(called, **batch)
        assert answer.code == 202, answer
        batch_id = str(answer.body["batch_id"])
        self.show(batch_id, since=answer)
        return batch_id

    def try_create(self, called: Sequence[str], **batch: Any) -> Answer:
        rows = [{"phone_number": it} for it in called]
        body = {"name": "Test", "agent_id": AGENT, "recipients": rows, **batch}
        return self._asked("POST", "", json=body)

    def ask(self, batch_id: str, action: str, *, key: str | None = None, **body: Any) -> Answer:
        """One of the seven actions."""
        if action == "rename":
            return self._asked("PATCH", f"/{batch_id}", json={"name": "Renamed", **body})
        if action == "delete":
            return self._asked("DELETE", f"/{batch_id}")
        headers = {"Idempotency-Key": key} if key else {}
        return self._asked("POST", f"/{batch_id}/{action}", json=body, headers=headers)

    def done(self, batch_id: str, action: str, **body: Any) -> Json:
        """Asked and done for certain, and to be read."""
        answer = self.ask(batch_id, action, **body)
        assert answer.code == 200, (action, answer, self.show(batch_id))
        self.show(batch_id, since=answer)
        return answer.body

    def add(self, batch_id: str, called: Sequence[str]) -> Answer:
        rows = [{"phone_number": it} for it in called]
        return self._asked("POST", f"/{batch_id}/recipients", json={"recipients": rows})

    def remove(self, batch_id: str, recipient_id: str) -> Answer:
        return self._asked("DELETE", f"/{batch_id}/recipients/{recipient_id}")

    def _asked(self, method: str, path: str, **request: Any) -> Answer:
        answer = self._send(method, path, **request)
        body = dict(answer.json()) if answer.content else {}
        return Answer(answer.status_code, body, answer.headers.get("Rollcall-Position"))

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        url = f"{self.house.endpoints['ingest']}/v1/batches{path}"
        return self._http.request(method, url, **request)

    def is_gone(self, batch_id: str, since: Answer) -> bool:
        """Nobody can read it any more, once the model is as new as the answer."""
        url = f"{self.house.endpoints['projections']}/v1/batches/{batch_id}"
        return self._http.get(url, headers=_not_before(since)).status_code == 404

    def show(self, batch_id: str, since: Answer | None = None) -> Json:
        """As it is read; not older than the answer."""
        return self.house.read(f"/v1/batches/{batch_id}", headers=_not_before(since))

    def rows(self, batch_id: str, since: Answer | None = None) -> list[Json]:
        """The first five hundred."""
        path, headers = f"/v1/batches/{batch_id}/recipients", _not_before(since)
        found: list[Json] = self.house.read(path, headers=headers, limit=500)["data"]
        return found

    def until(self, batch_id: str, *, seconds: float = SOON, **wanted: Any) -> Json:
        """Until it is read like that; counts of recipients may be named as well."""
        seen: Json = {}

        def is_so() -> bool:
            batch = self.show(batch_id)
            seen.update(batch, **batch["recipients"])
            return all(seen[name] == value for name, value in wanted.items())

        try:
            until(is_so, f"{wanted}", seconds, every=0.05)
        except AssertionError as late:
            raise AssertionError(f"{late}; last seen {seen}") from None
        return seen

    def ended(self, batch_id: str, seconds: float) -> Json:
        """Over, and nobody in a call."""
        seen: Json = {}

        def is_ended() -> bool:
            seen.update(self.show(batch_id))
            return seen["phase"] in ENDED

        try:
            until(is_ended, f"batch {batch_id} ended", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}; last seen {seen}") from None
        return seen

    def over(self, batch_id: str, seconds: float = SOON) -> Json:
        return self.house.until_over(batch_id, seconds)

    def ledger(self, called: Sequence[str]) -> Ledger:
        return self.house.ledger().to(called)

    def live(self, called: Sequence[str]) -> list[Json]:
        """The calls that people are in, in the order they answered."""
        return self.ledger(called).live()

    def until_live(self, called: Sequence[str], count: int) -> None:
        try:
            until(lambda: len(self.live(called)) == count, f"{count} in a call", SOON, every=0.05)
        except AssertionError as late:
            raise AssertionError(f"{late}; there are {len(self.live(called))}") from None

    def hang_up(self, called: Sequence[str], count: int | None = None) -> list[str]:
        """As many as that of those in a call, the longest first; gives their numbers."""
        ended = self.live(called)[:count]
        for entry in ended:
            url = f"{self.house.endpoints['simulator']}/calls/{entry['carrier_call_id']}/hangup"
            self._http.post(url).raise_for_status()
        return [entry["to"] for entry in ended]

    def switch(self, *, agent: str = AGENT, active: bool, caller: str = CALLER) -> None:
        """An agent of that id is there, and in use or not."""
        body = {"name": agent, "phone_number": caller, "active": active}
        self.house.command("PUT", f"/v1/agents/{agent}", body)

    def limit(self, concurrency: int) -> None:
        self.house.command(
            "PUT", "/v1/account", {"concurrency": concurrency, "default_window": ALWAYS}
        )

    def everyone_was_called_once(self, called: Sequence[str]) -> None:
        asked = Counter(entry["to"] for entry in self.ledger(called).of("request"))
        assert asked == Counter(called), self.ledger(called).story()

    def close(self) -> None:
        """Nothing of it goes on: the house is as it was found."""
        for batch in self.house.all_of("/v1/batches"):
            if "cancel" in batch["allowed_actions"]:
                self.ask(batch["batch_id"], "cancel")
        everybody = {entry["to"] for entry in self.house.ledger().of("answer")}
        until(lambda: not self.hang_up(list(everybody)), "nobody in a call", SOON)
        self._http.close()
