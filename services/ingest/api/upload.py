"""A body is taken in whole before it means anything; a file goes to disk, unnamed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import BinaryIO

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from chassis.problems import Problem
from services.ingest.submission import Submission, of_form, of_json

FILE_BYTES = 50 * 1024 * 1024
FIELD_BYTES = 1024 * 1024
MOST_BYTES = FILE_BYTES + 2 * FIELD_BYTES
FIELDS = {"batch", "file"}


@asynccontextmanager
async def submission_of(request: Request) -> AsyncIterator[Submission]:
    """What was sent, for as long as its file is open.  Raises Problem or RequestValidationError."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = await request.body()
        _bound(len(body))
        yield await run_in_threadpool(of_json, body)
        return
    limits = {"max_files": len(FIELDS), "max_fields": 8, "max_part_size": FIELD_BYTES}
    async with request.form(**limits) as form:
        yield await _of_form(form)


async def _of_form(form: FormData) -> Submission:
    _known_once(form)
    batch, file = form.get("batch"), form.get("file")
    if batch is None:
        raise _fault("batch", "missing", "Send the batch as JSON in the field batch.")
    text = batch.encode() if isinstance(batch, str) else await batch.read(FIELD_BYTES)
    return await run_in_threadpool(of_form, text, _file(file))


def _file(file: UploadFile | str | None) -> BinaryIO | None:
    if file is None:
        return None
    if isinstance(file, str):
        raise _fault("file", "field_invalid", "Send the CSV as a file, with a file name.")
    _bound(file.size or 0)
    return file.file


def _bound(size: int) -> None:
    if size > FILE_BYTES:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "upload_too_large",
            "The upload is too large.",
            f"Send at most {FILE_BYTES:,} bytes (50 MB); split the list.",
        )


def _known_once(form: FormData) -> None:
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if name not in FIELDS:
            raise _fault(name, "extra_forbidden", "This field is not known here.")
        if names.count(name) > 1:
            raise _fault(name, "field_invalid", "Send this field once.")


def _fault(field: str, kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "type": kind, "msg": message}])
