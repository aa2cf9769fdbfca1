"""Batches, as they are asked for."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.ingest.answers import BatchAnswer
from services.ingest.api.account import ACTOR, Account
from services.ingest.api.parts import Ready
from services.ingest.api.upload import submission_of
from services.ingest.domain.requests import BatchRequest, RecipientRequest

router = APIRouter(prefix="/v1/batches", tags=["batches"])

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]


def _schema(model: type[BaseModel]) -> Any:
    """Without references, which would point outside the place it is put in."""
    schema = model.model_json_schema(by_alias=False)
    definitions = schema.pop("$defs", {})

    def whole(part: Any) -> Any:
        match part:
            case {"$ref": str(place)}:
                return whole(definitions[place.rpartition("/")[2]])
            case dict():
                return {name: whole(value) for name, value in part.items()}
            case list():
                return [whole(value) for value in part]
            case _:
                return part

    return whole(schema)


def _body() -> dict[str, Any]:
    """The body is taken in by hand, since it may be a file; what it may hold is said here."""
    batch = _schema(BatchRequest)
    recipients = {"type": "array", "items": _schema(RecipientRequest)}
    typed = batch | {"properties": batch["properties"] | {"recipients": recipients}}
    form = {
        "type": "object",
        "properties": {"batch": batch, "file": {"type": "string", "format": "binary"}},
        "required": ["batch"],
    }
    content = {
        "application/json": {"schema": typed},
        "multipart/form-data": {
            "schema": form,
            "encoding": {"batch": {"contentType": "application/json"}},
        },
    }
    return {"requestBody": {"required": True, "content": content}}


@router.post("", status_code=202, response_model=BatchAnswer, openapi_extra=_body())
async def create_batch(
    request: Request, account_id: Account, parts: Ready, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Take a list and call everyone on it: as JSON, or as a CSV file beside the batch."""
    async with submission_of(request) as submission:
        answer = await parts.intake.create(account_id, submission, key=idempotency_key, actor=ACTOR)
    return JSONResponse(answer.body, answer.status, headers=answer.headers)
