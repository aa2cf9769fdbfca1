"""Recipients into a batch that has not ended, and out of it before they are called."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from contracts.batches import RecipientRemovalRequested
from services.ingest import position
from services.ingest.api.account import ACTOR, Account
from services.ingest.api.keys import IdempotencyKey, key_of
from services.ingest.api.parts import Ready
from services.ingest.api.schemas import ADDITION_BODY
from services.ingest.api.upload import LIST, sent_in
from services.ingest.domain.life import Wish
from services.ingest.uploading.submission import addition_of

router = APIRouter(prefix="/v1/batches/{batch_id}/recipients", tags=["batches"])


class AdditionAnswer(BaseModel):
    batch_id: UUID
    addition_id: UUID
    accepted: int
    rejected: int
    """They are in the batch's error log."""
    confirmed: bool
    """False: not known to be in yet."""


class RemovalAnswer(BaseModel):
    batch_id: UUID
    recipient_id: UUID
    confirmed: bool


@router.post("", status_code=202, openapi_extra=ADDITION_BODY)
async def add_recipients(
    batch_id: UUID,
    request: Request,
    account_id: Account,
    parts: Ready,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> AdditionAnswer:
    """As JSON, as a CSV file, or of a list that was prepared; their rows count on."""
    async with sent_in(request, LIST) as sent:
        what = f"POST /v1/batches/{batch_id}/recipients"
        key = await key_of(idempotency_key, account_id, what, sent)
        addition = await addition_of(sent, parts.workers)
        taken, asked = await parts.adding.add(account_id, batch_id, addition, key=key, actor=ACTOR)
    response.headers[position.HEADER] = asked.position(batch_id)
    known = {name: taken.body[name] for name in ("addition_id", "accepted", "rejected")}
    return AdditionAnswer(batch_id=batch_id, confirmed=asked.done, **known)


@router.delete("/{recipient_id}", status_code=202)
async def remove_recipient(
    batch_id: UUID, recipient_id: UUID, account_id: Account, parts: Ready, response: Response
) -> RemovalAnswer:
    """Who was called, or is about to be, stays: 409 `recipient_called`."""
    wish = Wish(batch_id, RecipientRemovalRequested, {"recipient_id": recipient_id})
    asked = await parts.asking.ask(account_id, wish, key=None, actor=ACTOR)
    response.headers[position.HEADER] = asked.position(batch_id)
    return RemovalAnswer(batch_id=batch_id, recipient_id=recipient_id, confirmed=asked.done)
