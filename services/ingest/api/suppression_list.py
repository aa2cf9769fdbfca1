"""A suppression list is here whole before a row of it is read; on the disk, without a name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from chassis.problems import Problem
from services.ingest.api.upload import SUPPRESSIONS, is_form, sent_in
from services.ingest.domain.suppressions import Source
from services.ingest.suppressions.lists import SentList
from services.ingest.uploading.content import Content, digest

SOURCE: Final = TypeAdapter[str](Source)
UNNAMED: Final = "csv"
CSV: Final = ("text/csv", "application/csv")


@asynccontextmanager
async def list_of(request: Request) -> AsyncIterator[SentList]:
    """What was sent, for as long as its file is open.  Raises Problem or RequestValidationError.

    The same content under the same name is the same request, whatever it came in.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not is_form(request) and kind not in CSV:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "media_type_unsupported",
            "This is not a list.",
            "Send the CSV as text/csv, or as the part file of multipart/form-data.",
        )
    async with sent_in(request, SUPPRESSIONS) as sent:
        source = _source(request, sent.source)
        content = sent.file or sent.body or Content()
        parts = [("source", Content(data=source.encode())), ("file", content)]
        total = await run_in_threadpool(digest, "POST /v1/suppressions", parts)
        yield SentList(content, source, total)


def _source(request: Request, part: Content | None) -> str:
    given = None
    if part is not None:
        with part.open() as file:
            given = file.read().decode(errors="replace")
    try:
        return SOURCE.validate_python(
            given or request.query_params.get("source") or UNNAMED, strict=True
        )
    except ValidationError as error:
        faults: list[Any] = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [fault | {"loc": ("body", "source")} for fault in faults]
        ) from None
