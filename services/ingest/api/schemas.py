"""Bodies that are taken in by hand, since they may be files: what they may hold is said here."""

from typing import Any, Final

from pydantic import BaseModel

from services.ingest.domain.requests import BatchRequest, RecipientRequest
from services.ingest.uploading.submission import AdditionRequest

FILE: Final = {"type": "string", "format": "binary"}
MAPPING: Final = {
    "type": "object",
    "properties": {"columns": {"type": "object", "additionalProperties": {"type": "string"}}},
    "required": ["columns"],
}


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


def _body(typed: Any, parts: dict[str, Any], required: str) -> dict[str, Any]:
    form = {
        "type": "object",
        "properties": parts | {"file": FILE, "mapping": MAPPING},
        "required": [required],
    }
    encoding = {name: {"contentType": "application/json"} for name in (*parts, "mapping")}
    content = {
        "application/json": {"schema": typed},
        "multipart/form-data": {"schema": form, "encoding": encoding},
    }
    return {"requestBody": {"required": True, "content": content}}


_BATCH = _schema(BatchRequest)
_RECIPIENT = _schema(RecipientRequest)
_OTHER_NAMES = {
    "phone": "phone_number",
    "phoneNumber": "phone_number",
    "dynamic_vars": "variables",
    "ignoreE164Validation": "ignore_e164_validation",
}
_RECIPIENT["properties"] |= {it: _RECIPIENT["properties"][own] for it, own in _OTHER_NAMES.items()}
_RECIPIENTS = {"recipients": {"type": "array", "items": _RECIPIENT}}

BATCH_BODY: Final = _body(
    _BATCH | {"properties": _BATCH["properties"] | _RECIPIENTS}, {"batch": _BATCH}, "batch"
)
LIST_BODY: Final = _body(
    {"type": "object", "properties": _RECIPIENTS, "required": ["recipients"]}, {}, "file"
)
ADDITION_BODY: Final = _body(
    {"type": "object", "properties": _RECIPIENTS | _schema(AdditionRequest)["properties"]},
    {},
    "file",
)
