"""What requests are served with; none is served before the service has read up on its past."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from chassis.problems import Problem
from chassis.vault import Seals
from services.ingest.api.account import Account
from services.ingest.directory import Directory
from services.ingest.intake import Intake


@dataclass(frozen=True, slots=True)
class Parts:
    is_caught_up: Callable[[], bool]
    directory: Directory
    intake: Intake
    seals: Seals


async def parts_of(request: Request, account_id: Account) -> Parts:
    parts: Parts = request.app.state.parts
    if not parts.is_caught_up():
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not_ready",
            "The service is reading up on its log.",
            "Ask again in a moment.",
            headers={"Retry-After": "1"},
        )
    await parts.directory.ensure_account(account_id)
    return parts


Ready = Annotated[Parts, Depends(parts_of)]
