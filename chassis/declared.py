"""What an OpenAPI document says of the answers that are problems: as they truly are."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from chassis.problems import FieldProblem


class Shown(BaseModel):
    """A problem as it is answered; some codes have more to say."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []
    batch_status: str | None = None
    """With a 409 to an action."""
    allowed_actions: list[str] | None = None


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an application or a route."""
    schema = Shown.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldProblem"]
    content = {"application/problem+json": {"schema": schema}}
    return {it: {"description": HTTPStatus(it).phrase, "content": content} for it in statuses}


def with_headers(*names: str) -> dict[str, Any]:
    """Of a response: what else it says."""
    text = {"schema": {"type": "string"}}
    return {"headers": dict.fromkeys(names, text)}
