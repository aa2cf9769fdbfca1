"""What is asked of a batch that is there: 200 is said only of what is done and certain."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel
from pydantic_core import to_json

from chassis.declared import with_headers
from contracts.statuses import Action, BatchStatus
from services.ingest import position
from services.ingest.api.account import ACTOR, Account
from services.ingest.api.keys import IdempotencyKey, key_of
from services.ingest.api.parts import Ready
from services.ingest.domain.life import COMMANDS, Wish
from services.ingest.domain.requests import NoRequest, RenameRequest, RetryRequest
from services.ingest.uploading.content import Content
from services.ingest.uploading.submission import Sent

router = APIRouter(prefix="/v1/batches/{batch_id}", tags=["batches"])


class ActionAnswer(BaseModel):
    batch_id: UUID
    action: Action
    status: BatchStatus | None
    """As the verdict says; of one not confirmed, as the batch was last heard of."""
    confirmed: bool
    """False with 202: taken, and not known to be done yet."""
    allowed_actions: tuple[Action, ...]


class NameAnswer(BaseModel):
    batch_id: UUID
    name: str


TAKEN: Final[dict[int | str, dict[str, Any]]] = {
    200: with_headers(position.HEADER),
    202: {
        "model": ActionAnswer,
        "description": "Taken, and not confirmed yet",
        **with_headers(position.HEADER),
    },
}
DELETED: Final[dict[int | str, dict[str, Any]]] = {
    204: with_headers(position.HEADER),
    202: {"description": "Calls are still live", **with_headers(position.HEADER)},
}


@dataclass(frozen=True, slots=True)
class Asker:
    """A request to a batch that gets a verdict."""

    batch_id: UUID
    response: Response
    account_id: Account
    parts: Ready
    idempotency_key: IdempotencyKey = None

    async def ask(self, action: Action, **facts: Any) -> ActionAnswer:
        what = f"POST /v1/batches/{self.batch_id}/{action}"
        sent = Sent(body=Content(data=to_json(facts)))
        key = await key_of(self.idempotency_key, self.account_id, what, sent)
        wish = Wish(self.batch_id, COMMANDS[action], facts)
        asked = await self.parts.asking.ask(self.account_id, wish, key=key, actor=ACTOR)
        self.response.headers[position.HEADER] = asked.position(self.batch_id)
        self.response.status_code = HTTPStatus.OK if asked.done else HTTPStatus.ACCEPTED
        return ActionAnswer(
            batch_id=self.batch_id,
            action=action,
            status=asked.outcome.status,
            confirmed=asked.done,
            allowed_actions=asked.outcome.allowed,
        )


Asking = Annotated[Asker, Depends()]
Nothing = Annotated[NoRequest | None, Body()]


@router.post("/start", responses=TAKEN)
async def start_batch(asking: Asking, _: Nothing = None) -> ActionAnswer:
    """Of a batch that was created to be started by hand."""
    return await asking.ask(Action.START)


@router.post("/pause", responses=TAKEN)
async def pause_batch(asking: Asking, _: Nothing = None) -> ActionAnswer:
    """After the 200 no further call is begun; those under way end well."""
    return await asking.ask(Action.PAUSE)


@router.post("/resume", responses=TAKEN)
async def resume_batch(asking: Asking, _: Nothing = None) -> ActionAnswer:
    """Go on where it was paused."""
    return await asking.ask(Action.RESUME)


@router.post("/cancel", responses=TAKEN)
async def cancel_batch(asking: Asking, _: Nothing = None) -> ActionAnswer:
    """As a pause, and for good; only a retry calls who is left."""
    return await asking.ask(Action.CANCEL)


@router.post("/retry", responses=TAKEN)
async def retry_batch(
    asking: Asking, wanted: Annotated[RetryRequest | None, Body()] = None
) -> ActionAnswer:
    """Call again who failed or did not answer, and go on with who was never called."""
    facts = wanted or RetryRequest()
    return await asking.ask(Action.RETRY, include_unknown=facts.include_unknown)


@router.patch("")
async def rename_batch(
    batch_id: UUID, wanted: RenameRequest, account_id: Account, parts: Ready, response: Response
) -> NameAnswer:
    """Its name is all that can be changed, always."""
    place = await parts.renaming.rename(account_id, batch_id, wanted.name, actor=ACTOR)
    response.headers[position.HEADER] = place
    return NameAnswer(batch_id=batch_id, name=wanted.name)


@router.delete("", status_code=204, responses=DELETED)
async def delete_batch(batch_id: UUID, account_id: Account, parts: Ready) -> Response:
    """Stop it, and destroy what it knows of people; 202 while calls of it are still live."""
    deleted = await parts.deleting.delete(account_id, batch_id, actor=ACTOR)
    status = HTTPStatus.NO_CONTENT if deleted.gone else HTTPStatus.ACCEPTED
    return Response(status_code=status, headers={position.HEADER: deleted.position})
