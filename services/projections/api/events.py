"""Live streams: a snapshot first, then every change once, under ids that resume without a gap."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.sse import format_sse_event
from pydantic_core import to_json

from services.projections.api.account import Account
from services.projections.api.found import not_found
from services.projections.api.parameters import NoParameters
from services.projections.api.streaming import DECLARED, EventStream
from services.projections.domain.place import Place, goes_on, read_place
from services.projections.live.batch_stream import gone
from services.projections.live.list_stream import ListOpening
from services.projections.live.news import Live

LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The last id seen: goes on right after it."),
]


def events(live: Live) -> APIRouter:
    router = APIRouter(prefix="/v1/batches", tags=["batches"])

    @router.get("/events", response_class=EventStream, status_code=200, responses=DECLARED)
    async def follow_batches(
        account: Account, _: NoParameters, last: LastEventId = None
    ) -> EventStream:
        """`snapshot`: the newest batches; then `batch`, whenever one changes, and `deleted`.

        At most about one message a second of each batch.  With `Last-Event-ID` each batch that has
        changed since, as it is now; if that id is of another model, a `snapshot` with `reset`.
        """
        opening = await live.open_list(account)
        known = read_place(last or "")
        resumed = known if goes_on(known, opening.place) else None
        first = b"" if resumed else _newest(opening, reset=last is not None)
        start = resumed or opening.place
        return live.stream(live.lists, account, first, opening.place, start)

    @router.get(
        "/{batch_id}/events", response_class=EventStream, status_code=200, responses=DECLARED
    )
    async def follow_batch(
        account: Account, batch_id: UUID, _: NoParameters, last: LastEventId = None
    ) -> EventStream:
        """`snapshot`: the batch; then an `entry` for each entry of its timeline, or `deleted`.

        With `Last-Event-ID` exactly the entries after it; if that id is of another model, a
        `snapshot` with `reset`.
        """
        opening = await live.open_batch(account, batch_id)
        known = read_place(last or "")
        if opening.deleted and last is not None:
            return EventStream(_only(gone(batch_id, None)), live.unread_for)
        if opening.shape is None:
            raise not_found("batch")
        resumed = known if goes_on(known, opening.place) else None
        shown = opening.shape.model_dump(mode="json")
        first = b"" if resumed else _snapshot(opening.place, shown, reset=last is not None)
        start = resumed or opening.place
        return live.stream(live.batches, batch_id, first, opening.place, start)

    return router


async def _only(message: bytes) -> AsyncGenerator[bytes]:
    yield message


def _newest(opening: ListOpening, *, reset: bool) -> bytes:
    shapes = [shape.model_dump(mode="json") for shape in opening.shapes]
    return _snapshot(opening.place, {"data": shapes}, reset=reset)


def _snapshot(place: Place, body: dict[str, object], *, reset: bool) -> bytes:
    text = to_json(body | {"reset": reset}).decode()
    return format_sse_event(event="snapshot", id=str(place), data_str=text)
