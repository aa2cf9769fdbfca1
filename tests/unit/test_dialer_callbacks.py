"""Whatever goes wrong with a callback, its carrier is told so in the words every error has."""

from typing import cast
from uuid import UUID

import structlog
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from chassis.inbox import Inbox
from services.dialer.api.callbacks import Callbacks
from services.dialer.carriers.port import Carrier, Sighting
from services.dialer.settlement import Settlement

SECRET = "+12025550199"  # noqa: S105 - somebody's number, which no log may hold


class Hearing:
    def heard(self, _body: bytes) -> tuple[UUID, Sighting]:
        return UUID(int=1), Sighting("sim-1", answered_by=SECRET)


class Failing:
    async def hear(self, _call_id: UUID, seen: Sighting) -> bool:
        raise ArithmeticError(f"cannot take {seen.answered_by}")


def test_an_unforeseen_error_is_a_problem_and_its_text_is_in_no_log() -> None:
    app = Callbacks(
        Starlette(),
        {"simulator": cast("Carrier", Hearing())},
        cast("Settlement", Failing()),
        cast("Inbox", None),
    )
    with structlog.testing.capture_logs() as logs:
        answer = TestClient(app).post("/callbacks/simulator", content=b"{}")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    (entry,) = logs
    assert (entry["event"], entry["error"]) == ("callback_failed", "ArithmeticError")
    assert SECRET not in repr(logs) + answer.text
