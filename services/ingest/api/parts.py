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
from services.ingest.life.adding import Adding
from services.ingest.life.asking import Asking
from services.ingest.life.deleting import Deleting
from services.ingest.life.renaming import Renaming
from services.ingest.lists.answers import Answers
from services.ingest.lists.intake import ListIntake
from services.ingest.lists.mending import Mending
from services.ingest.lists.opening import Lists
from services.ingest.previews import Previews
from services.ingest.suppressions.entries import Suppressions
from services.ingest.suppressions.lists import SuppressionLists
from services.ingest.uploading.workers import Workers


@dataclass(frozen=True, slots=True)
class Parts:
    is_caught_up: Callable[[], bool]
    directory: Directory
    intake: Intake
    previews: Previews
    asking: Asking
    adding: Adding
    renaming: Renaming
    deleting: Deleting
    lists: Lists
    list_intake: ListIntake
    list_answers: Answers
    mending: Mending
    workers: Workers
    seals: Seals
    wake_sweeper: Callable[[], None]
    suppressions: Suppressions
    suppression_lists: SuppressionLists


async def parts_of(request: Request, account_id: Account) -> Parts:
    parts: Parts = request.app.state.parts
    if not parts.is_caught_up():
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not_ready",
            "The service is reading up on its log, or waits for what it needs.",
            "Ask again in a moment; /readyz says what is waited for, `rollcall doctor` what to do.",
            headers={"Retry-After": "1"},
        )
    await parts.directory.ensure_account(account_id)
    return parts


Ready = Annotated[Parts, Depends(parts_of)]
