"""What was sent, read whole before anything is stored; the same content has the same digest."""

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from services.ingest.domain.requests import BatchRequest

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch and its recipients: typed ones, or a file of them, or neither."""

    request: BatchRequest
    recipients: list[Any] | None
    file: BinaryIO | None
    digest: bytes


def of_json(body: bytes) -> Submission:
    """Raises RequestValidationError."""
    request, recipients = _parsed(body)
    return Submission(request, recipients, None, digest([("json", body)]))


def of_form(batch: bytes, file: BinaryIO | None) -> Submission:
    """Boundary and order of parts do not matter.  Raises RequestValidationError."""
    request, recipients = _parsed(batch)
    if recipients is not None and file is not None:
        raise _fault(
            "recipients", "field_invalid", "Send the recipients or a file of them, not both."
        )
    parts: list[tuple[str, bytes | BinaryIO]] = [("batch", batch)]
    if file is not None:
        parts.append(("file", file))
    return Submission(request, recipients, file, digest(parts))


def digest(parts: Iterable[tuple[str, bytes | BinaryIO]]) -> bytes:
    total = hashlib.sha256(b"POST /v1/batches")
    for name, content in parts:
        part = hashlib.sha256()
        if isinstance(content, bytes):
            part.update(content)
        else:
            content.seek(0)
            while piece := content.read(READ_BYTES):
                part.update(piece)
            content.seek(0)
        total.update(name.encode() + b"\0" + part.digest())
    return total.digest()


def _parsed(body: bytes) -> tuple[BatchRequest, list[Any] | None]:
    try:
        # editors on Windows write a byte order mark, which RFC 8259 lets a reader pass over
        fields = from_json(body.removeprefix(BOM_UTF8), allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        raise _fault("body", "json_invalid", "Send a JSON object.") from None
    recipients = fields.pop("recipients", None) if isinstance(fields, dict) else None
    if recipients is not None and not isinstance(recipients, list):
        raise _fault("recipients", "field_invalid", "Send the recipients as a list.")
    try:
        return BatchRequest.model_validate_json(to_json(fields)), recipients
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


def _fault(field: str, kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "type": kind, "msg": message}])
