"""The events' contract, to be fetched by whoever reads the log: as the repository holds it."""

from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from contracts.codec import type_of
from contracts.published import schema_name
from contracts.topics import TOPICS
from services.projections.api.found import not_found

FOLDER = files("contracts") / "schemas"
ASYNCAPI = "application/vnd.aai.asyncapi+json;version=3.0.0"
SCHEMA = "application/schema+json"


class PublishedShape(BaseModel):
    type: str = Field(examples=["rollcall.CallCompleted.v2"])
    """The header `ce_type`."""
    topic: str = Field(examples=["rollcall.calls.v1"])
    """Where it stands; a deployment may put a prefix before it."""
    writer: str = Field(examples=["dialer"])
    """The one service that says it."""
    schema_path: str = Field(examples=["/schemas/CallCompleted.v2.json"])
    """Where its JSON Schema is served, on this host."""

    model_config = {"use_attribute_docstrings": True}


class PublishedIndex(BaseModel):
    data: list[PublishedShape]


def published() -> APIRouter:
    router = APIRouter(tags=["events"])
    texts = {each.name: each.read_bytes() for each in FOLDER.iterdir()}
    asyncapi = texts.pop("asyncapi.json")
    index = PublishedIndex(
        data=[
            PublishedShape(
                type=type_of(event),
                topic=topic.name,
                writer=topic.writer,
                schema_path=f"/schemas/{schema_name(event)}",
            )
            for topic in TOPICS
            for event in topic.events
        ]
    )

    @router.get("/asyncapi.json", responses=_as(ASYNCAPI), response_class=Response)
    async def read_asyncapi() -> Response:
        """All topics and events: keys, partitions, headers, bodies, an example of each."""
        return Response(asyncapi, media_type=ASYNCAPI)

    @router.get("/schemas")
    async def list_schemas() -> PublishedIndex:
        """Every event, its topic, and where its JSON Schema is."""
        return index

    @router.get("/schemas/{name}", responses=_as(SCHEMA), response_class=Response)
    async def read_schema(
        name: Annotated[str, Path(examples=["CallCompleted.v2.json"])],
    ) -> Response:
        """The JSON Schema of one version of an event's body."""
        if name not in texts:
            raise not_found("schema")
        return Response(texts[name], media_type=SCHEMA)

    return router


def _as(media_type: str) -> dict[int | str, dict[str, Any]]:
    """What FastAPI is to declare of a document that is sent as it stands."""
    return {200: {"content": {media_type: {"schema": {"type": "object"}}}}}
