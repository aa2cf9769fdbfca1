"""A suppression list is here whole before a row of it is read; on the disk, without a name."""

import io
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from chassis.problems import Problem
from services.ingest.api.upload import FILE_BYTES, TOO_LARGE
from services.ingest.content import IN_MEMORY, Content, digest
from services.ingest.domain.suppressions import Source
from services.ingest.suppressions.lists import SentList

SOURCE: Final = TypeAdapter[str](Source)
UNNAMED: Final = "csv"
FORM, CSV = "multipart/form-data", ("text/csv", "application/csv")


@asynccontextmanager
async def list_of(request: Request) -> AsyncIterator[SentList]:
    """What was sent, for as long as its file is open.  Raises Problem or RequestValidationError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM:
        async with _form(request) as (file, source):
            yield await run_in_threadpool(_sent, file, source)
    elif kind in CSV:
        with SpooledTemporaryFile(IN_MEMORY) as file:
            async for piece in request.stream():
                file.write(piece)
            yield await run_in_threadpool(_sent, cast("BinaryIO", file), _source(request, None))
    else:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "media_type_unsupported",
            "This is not a list.",
            "Send the CSV as text/csv, or as the part file of multipart/form-data.",
        )


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[tuple[BinaryIO, str]]:
    async with aclosing(request.stream()) as stream:
        try:
            form = await MultiPartParser(request.headers, stream, max_files=2, max_fields=2).parse()
        except MultiPartException:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "body_invalid",
                "The form cannot be read.",
                "Send multipart/form-data under its boundary, with the parts file and source.",
            ) from None
    try:
        names = [name for name, _ in form.multi_items()]
        for name in names:
            if name not in {"file", "source"}:
                raise _fault(name, "extra_forbidden", "This field is not known here.")
            if names.count(name) > 1:
                raise _fault(name, "field_invalid", "Send this field once.")
        file, source = form.get("file"), form.get("source")
        if not isinstance(file, UploadFile):
            raise _fault("file", "field_invalid", "Send the CSV as a file, with a file name.")
        yield file.file, _source(request, source)
    finally:
        await form.close()


def _source(request: Request, given: Any) -> str:
    try:
        return SOURCE.validate_python(
            given or request.query_params.get("source") or UNNAMED, strict=True
        )
    except ValidationError as error:
        faults: list[Any] = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [fault | {"loc": ("body", "source")} for fault in faults]
        ) from None


def _sent(file: BinaryIO, source: str) -> SentList:
    """The same content under the same name is the same request, whatever it came in."""
    size = file.seek(0, io.SEEK_END)
    if size > FILE_BYTES:
        title = "The upload is too large."
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload_too_large", title, TOO_LARGE)
    content = Content.of(file, size)
    named = Content(data=source.encode())
    total = digest("POST /v1/suppressions", [("source", named), ("file", content)])
    return SentList(content, source, total)


def _fault(field: str, kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "type": kind, "msg": message}])
