"""Asks until it is answered, under one key: asked again after a failure, it is done once."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx2

from tests.faults.trial.accounts import HEADER
from tests.house import House, Json

POSITION, SINCE = "Rollcall-Position", "Rollcall-Min-Position"
PATIENCE = 180.0
EVERY = 0.2
BUSY = "idempotency_key_running"


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    body: Json
    asked_at: datetime
    """When it was first asked: it may have been done from then on."""
    at: datetime
    position: str
    """A read that names it is not older than the answer."""

    @property
    def taken(self) -> bool:
        return self.code < HTTPStatus.BAD_REQUEST


class UnansweredError(Exception):
    """However often it was asked for."""


class Clerk:
    """Speaks to a house for one account."""

    def __init__(self, house: House, account: str) -> None:
        self.account = account
        self._house = house
        self._http = httpx2.Client(timeout=30, headers={HEADER: account})

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, body: Json | None = None, key: str = "") -> Answer:
        """A refusal is an answer too."""
        asked_at = datetime.now(UTC)
        headers = {"Idempotency-Key": key} if key else {}
        answer = self._answered(method, "ingest", path, json=body, headers=headers)
        said = dict(answer.json()) if answer.content else {}
        place = answer.headers.get(POSITION, "")
        return Answer(answer.status_code, said, asked_at, datetime.now(UTC), place)

    def read(self, path: str, since: str = "", **query: Any) -> Json:
        headers = {SINCE: since} if since else {}
        answer = self._answered("GET", "projections", path, params=query, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def pages(self, path: str, **query: Any) -> list[Json]:
        page = self.read(path, limit=500, **query)
        found: list[Json] = page["data"]
        while page["next_cursor"]:
            page = self.read(path, limit=500, cursor=page["next_cursor"], **query)
            found += page["data"]
        return found

    def _answered(self, method: str, service: str, path: str, **request: Any) -> httpx2.Response:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                url = self._house.endpoints[service] + path
                answer = self._http.request(method, url, **request)
                met = answer.text
                if not _is_busy(answer):
                    return answer
            except (httpx2.TransportError, OSError) as error:
                met = repr(error)
            if time.monotonic() > deadline:
                raise UnansweredError(f"no answer to {method} {path}: {met}")
            time.sleep(EVERY)


def _is_busy(answer: httpx2.Response) -> bool:
    if answer.status_code == HTTPStatus.CONFLICT:
        return bool(answer.json().get("code") == BUSY)
    return answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
