"""What was sent, read whole before anything is stored; the same content has the same digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from services.ingest.domain.requests import BatchRequest, Request
from services.ingest.reading.json_file import Body, read_body
from services.ingest.uploading.content import Content, digest
from services.ingest.uploading.sources import Source
from services.ingest.uploading.workers import Workers

R = TypeVar("R", bound=Request)
MAPPING = TypeAdapter(dict[str, dict[str, str]])


@dataclass(frozen=True, slots=True)
class Sent:
    """The parts of a request; what is no form is one part, `body`."""

    body: Content | None = None
    file: Content | None = None
    batch: Content | None = None
    mapping: Content | None = None
    source: Content | None = None

    def digest(self, request: str) -> bytes:
        """Under what is asked for, such as `POST /v1/batches`; takes its time."""
        named = [(name, getattr(self, name)) for name in ("body", "batch", "file", "mapping")]
        return digest(request, [(name, part) for name, part in named if part is not None])


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch and who is to be called: those sent with it, those of a list, or nobody."""

    request: BatchRequest
    source: Source | None


@dataclass(frozen=True, slots=True)
class Addition:
    """Who is to be added to a batch: those sent, or those of a list."""

    source: Source | None
    list_id: UUID | None = None


class AdditionRequest(Request):
    """All of an addition but its recipients."""

    recipient_list_id: UUID | None = None


async def addition_of(sent: Sent, workers: Workers) -> Addition:
    """Raises RequestValidationError."""
    if sent.file is not None:
        return Addition(Source(sent.file, mapping_of(sent.mapping)))
    fields, source = await _body(sent.body, workers)
    list_id = _request(AdditionRequest, fields).recipient_list_id
    if (source is None) == (list_id is None):
        message = "Send the recipients as a list, or name a recipient_list_id."
        raise _fault("recipients", "field_invalid", message)
    return Addition(source, list_id)


async def batch_of(sent: Sent, workers: Workers) -> Submission:
    """Raises RequestValidationError."""
    fields, source = await _body(sent.body or sent.batch, workers)
    if sent.file is not None:
        if source is not None:
            raise _fault(
                "recipients", "field_invalid", "Send the recipients or a file of them, not both."
            )
        source = Source(sent.file, mapping_of(sent.mapping))
    elif sent.mapping is not None:
        message = "A mapping says what the columns of a file mean: send the file with it."
        raise _fault("mapping", "field_invalid", message)
    return Submission(_request(BatchRequest, fields), source)


async def list_of(sent: Sent, workers: Workers) -> Source:
    """What goes into a list.  Raises RequestValidationError."""
    if sent.file is not None:
        return Source(sent.file, mapping_of(sent.mapping))
    fields, source = await _body(sent.body, workers)
    for name in fields:
        raise _fault(name, "extra_forbidden", "This field is not known here.")
    if source is None:
        raise _fault("recipients", "missing", "Send the recipients as a list.")
    return source


def mapping_of(part: Content | None) -> Mapping[str, str] | None:
    """`{"columns": {"Header": role}}`; which roles there are is judged with the header."""
    if part is None:
        return None
    with part.open() as file:
        text = file.read()
    try:
        mapping = MAPPING.validate_json(text)
    except ValidationError:
        mapping = {}
    if set(mapping) != {"columns"}:
        message = 'Send the mapping as JSON, for example {"columns": {"Mobile": "phone_number"}}.'
        raise _fault("mapping", "mapping_invalid", message)
    return mapping["columns"]


async def _body(part: Content | None, workers: Workers) -> tuple[dict[str, Any], Source | None]:
    """The fields of a JSON object but for its recipients, and these."""
    if part is None:
        return {}, None
    body = await workers.run(part.size, _read, part)
    return body.fields, None if body.start is None else Source(part, start=body.start)


def _read(part: Content) -> Body:
    with part.open() as file:
        return read_body(file)


def _request(kind: type[R], fields: dict[str, Any]) -> R:
    try:
        return kind.model_validate_json(to_json(fields))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


def _fault(field: str, kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "type": kind, "msg": message}])
