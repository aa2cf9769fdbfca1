"""A body is taken in whole before it means anything; a long one goes to disk, unnamed."""

import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import BinaryIO, cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from chassis.problems import Problem
from services.ingest.uploading.content import IN_MEMORY, Content
from services.ingest.uploading.submission import Sent

FILE_BYTES = 50 * 1024 * 1024
FIELD_BYTES = 1024 * 1024
MOST_BYTES = FILE_BYTES + 2 * FIELD_BYTES
TOO_LARGE = f"Send at most {FILE_BYTES:,} bytes (50 MB); split the list."
TYPED_TOO_LARGE = f"Send at most {FIELD_BYTES:,} bytes (1 MB)."
MOST_PARTS = 8
CHARSETS = {b"utf-8", b"utf8", b"us-ascii"}

BATCH, LIST = ("batch", "file", "mapping"), ("file", "mapping")
SUPPRESSIONS = ("file", "source")
"""The parts of a form."""


class WholeForm(MultiPartParser):
    """Parts that came before a form was cut short are not what its sender meant."""

    ended = False

    def on_end(self) -> None:
        self.ended = True

    async def parse(self) -> FormData:
        form = await super().parse()
        if not self.ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("cut short")
        return form


@asynccontextmanager
async def sent_in(request: Request, parts: Collection[str]) -> AsyncIterator[Sent]:
    """What was sent, for as long as its file is open.  Raises Problem or RequestValidationError."""
    _refuse_packed(request)
    if not is_form(request):
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
            async for piece in request.stream():
                body.write(piece)
            _bound(body.tell(), FILE_BYTES, TOO_LARGE)
            yield Sent(body=Content.of(cast("BinaryIO", body), body.tell()))
        return
    form = await _form(request, parts)
    try:
        _known_once(form, parts)
        yield await _of_form(form, parts)
    finally:
        await form.close()


def _refuse_packed(request: Request) -> None:
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing != "identity":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content_encoding_unsupported",
            "The body is compressed.",
            "Send it as it is, without Content-Encoding.",
        )


def is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "multipart/form-data"


async def _form(request: Request, parts: Collection[str]) -> FormData:
    """The body as a whole is bounded before; how large a part of it may be is judged after."""
    limits = {"max_files": MOST_PARTS, "max_fields": MOST_PARTS, "max_part_size": MOST_BYTES}
    async with aclosing(request.stream()) as stream:
        try:
            _known_charset(request)
            return await WholeForm(request.headers, stream, **limits).parse()
        except MultiPartException:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "body_invalid",
                "The form cannot be read.",
                "Send multipart/form-data in UTF-8 under its boundary, with the parts"
                f" {', '.join(parts)}: each named, each once, and no others.",
            ) from None


def _known_charset(request: Request) -> None:
    """Other codecs may break on what they are given, or make texts that nothing can hold."""
    _, options = parse_options_header(request.headers["content-type"])
    if options.get(b"charset", b"utf-8").lower() not in CHARSETS:
        raise MultiPartException("not UTF-8")


async def _of_form(form: FormData, parts: Collection[str]) -> Sent:
    """`file` is a file; the others are fields, which may come as files, too."""
    fields = {name: await _field(name, form[name]) for name in parts if name in form}
    needed = "batch" if "batch" in parts else "file"
    if needed not in fields:
        what = "batch as JSON in the field batch" if needed == "batch" else "CSV in the field file"
        raise _fault(needed, "missing", f"Send the {what}.")
    return Sent(**fields)


async def _field(name: str, part: UploadFile | str) -> Content:
    if name == "file":
        if isinstance(part, str):
            raise _fault("file", "field_invalid", "Send the CSV as a file, with a file name.")
        _bound(part.size or 0, FILE_BYTES, TOO_LARGE)
        return await run_in_threadpool(Content.of, part.file, part.size or 0)
    text = part.encode() if isinstance(part, str) else await part.read()
    too_large = f"Keep the part {name} to {FIELD_BYTES:,} bytes (1 MB); send the list as a file."
    _bound(len(text), FIELD_BYTES, too_large)
    return Content(data=text)


def _bound(size: int, most: int, detail: str) -> None:
    if size > most:
        title = "The upload is too large."
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload_too_large", title, detail)


def _known_once(form: FormData, parts: Collection[str]) -> None:
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if name not in parts:
            raise _fault(name, "extra_forbidden", "This field is not known here.")
        if names.count(name) > 1:
            raise _fault(name, "field_invalid", "Send this field once.")


def _fault(field: str, kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "type": kind, "msg": message}])
