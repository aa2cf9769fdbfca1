"""Batches, as they are asked for."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from chassis.declared import with_headers
from services.ingest import position
from services.ingest.answers import BatchAnswer
from services.ingest.api.account import ACTOR, Account
from services.ingest.api.keys import IdempotencyKey, key_of
from services.ingest.api.parts import Ready
from services.ingest.api.schemas import BATCH_BODY
from services.ingest.api.upload import BATCH, sent_in
from services.ingest.domain.preview import Preview
from services.ingest.uploading.submission import batch_of

router = APIRouter(prefix="/v1/batches", tags=["batches"])


@router.post(
    "",
    status_code=202,
    response_model=BatchAnswer,
    openapi_extra=BATCH_BODY,
    responses={202: with_headers("Location", position.HEADER)},
)
async def create_batch(
    request: Request, account_id: Account, parts: Ready, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Take a list and call everyone on it: as JSON, as a CSV file, or one that was prepared."""
    async with sent_in(request, BATCH) as sent:
        key = await key_of(idempotency_key, account_id, "POST /v1/batches", sent)
        submission = await batch_of(sent, parts.workers)
        answer = await parts.intake.create(account_id, submission, key=key, actor=ACTOR)
    return JSONResponse(answer.body, answer.status, headers=answer.headers)


@router.post("/preview", openapi_extra=BATCH_BODY)
async def preview_batch(request: Request, account_id: Account, parts: Ready) -> Preview:
    """Who would be called, who not and why, and when: the same body, and nothing is stored."""
    async with sent_in(request, BATCH) as sent:
        submission = await batch_of(sent, parts.workers)
        return await parts.previews.preview(account_id, submission)
