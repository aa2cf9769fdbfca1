"""The same request under the same key is the same request, whatever its boundary was."""

from typing import Annotated

from fastapi import Header
from starlette.concurrency import run_in_threadpool

from services.ingest.idempotency import Key
from services.ingest.uploading.submission import Sent

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]


async def key_of(value: str | None, account_id: str, request: str, sent: Sent) -> Key | None:
    """`request`: what is asked for, such as `POST /v1/batches`."""
    if value is None:
        return None
    return Key(account_id, value, await run_in_threadpool(sent.digest, request))
