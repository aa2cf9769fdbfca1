"""A body is taken in whole before it means anything; a file goes to disk, unnamed."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import BinaryIO

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from chassis.problems import Problem
from services.ingest.submission import Submission, of_form, of_json

FILE_BYTES = 50 * 1024 * 1024
BATCH_BYTES = 1024 * 1024
MOST_BYTES = FILE_BYTES + 2 * BATCH_BYTES
TOO_LARGE = f"Send at most {FILE_BYTES:,} bytes (50 MB); split the list."
FIELDS = {"batch", "file"}
MOST_PARTS = 8


@asynccontextmanager
async def submission_of(request: Request) -> AsyncIterator[Submission]:
    """What was sent, for as long as its file is open.  Raises Problem or RequestValidationError."""
    if not _is_form(request):
        body = await request.body()
        _bound(len(body), FILE_BYTES, TOO_LARGE)
        yield await run_in_threadpool(of_json, body)
        return
    form = await _form(request)
    try:
        yield await _of_form(form)
    finally:
        await form.close()


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "multipart/form-data"


async def _form(request: Request) -> FormData:
    """The body as a whole is bounded before; how large a part of it may be is judged after."""
    limits = {"max_files": MOST_PARTS, "max_fields": MOST_PARTS, "max_part_size": MOST_BYTES}
    async with aclosing(request.stream()) as stream:
        try:
            return await MultiPartParser(request.headers, stream, **limits).parse()
        except MultiPartException:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "body_invalid",
                "The form cannot be read.",
                "Send multipart/form-data under its boundary, with the parts batch and file:"
                " each named, each once, and no others.",
            ) from None


async def _of_form(form: FormData) -> Submission:
    _known_once(form)
    batch, file = form.get("batch"), form.get("file")
    if batch is None:
        raise _fault("batch", "missing", "Send the batch as JSON in the field batch.")
    too_large = f"Keep the part batch to {BATCH_BYTES:,} bytes (1 MB); send the list as a file."
    if isinstance(batch, str):
        text = batch.encode()
    else:
        _bound(batch.size or 0, BATCH_BYTES, too_large)
        text = await batch.read()
    _bound(len(text), BATCH_BYTES, too_large)
    return await run_in_threadpool(of_form, text, _file(file))


def _file(file: UploadFile | str | None) -> BinaryIO | None:
    if file is None:
        return None
    if isinstance(file, str):
        raise _fault("file", "field_invalid", "Send the CSV as a file, with a file name.")
    _bound(file.size or 0, FILE_BYTES, TOO_LARGE)
    return file.file


def _bound(size: int, most: int, detail: str) -> None:
    if size > most:
        title = "The upload is too large."
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload_too_large", title, detail)


def _known_once(form: FormData) -> None:
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if name not in FIELDS:
            raise _fault(name, "extra_forbidden", "This field is not known here.")
        if names.count(name) > 1:
            raise _fault(name, "field_invalid", "Send this field once.")


def _fault(field: str, kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "type": kind, "msg": message}])
