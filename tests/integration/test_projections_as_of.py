"""A batch as it stood at an instant, from its timeline: at the last one it is as it stands now."""

from collections.abc import AsyncIterator
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.postgres import Connection, connect
from contracts.event import Event
from services.projections.api.showing import show_batch
from services.projections.domain.batch import Batch
from services.projections.generations.definition import definition, stay_in
from services.projections.generations.live import prepare
from services.projections.handlers import fold_events
from services.projections.history import batch_as_of
from services.projections.store import Reads
from tests.conftest import DatabaseFactory
from tests.log_of_batches import OneKey, a_log, interleaved
from tests.log_of_calls import ACCOUNT

Turn = tuple[datetime | None, int | None]

ANY_STORY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def model(database: DatabaseFactory) -> AsyncIterator[Connection]:
    dsn = await database()
    await prepare(dsn, definition())
    conn = await connect(dsn, application_name="test")
    await stay_in(conn, 1)
    yield conn
    await conn.close()


async def batches_of(conn: Connection) -> list[Batch]:
    ids = [row["batch_id"] for row in await conn.fetch("SELECT batch_id FROM batches ORDER BY 1")]
    return [batch for batch, _ in await Reads(conn).batches(ACCOUNT, ids)]


def seen(batch: Batch, at: datetime) -> dict[str, Any]:
    return show_batch(batch, at).model_dump()


async def past_after(
    conn: Connection, polls: list[list[Event]], instants: list[datetime]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The batches at each of the instants, and as they stand."""
    transaction = conn.transaction()
    await transaction.start()
    try:
        for poll in polls:
            await fold_events(conn, poll, keys=OneKey())
        present = await batches_of(conn)
        past = [
            seen(await batch_as_of(conn, batch, at), at) for batch in present for at in instants
        ]
        return past, [seen(batch, instants[-1]) for batch in present]
    finally:
        await transaction.rollback()


@ANY_STORY
@given(story=st.integers(0, 2**32))
async def test_at_the_last_instant_a_batch_is_as_it_stands_now(
    model: Connection, story: int
) -> None:
    streams = a_log(Random(story))
    events = [event for stream in streams for event in stream]
    last = max(event.at for event in events)
    was, now = await past_after(model, [events], [last])
    of_the_clock = {"calls_per_minute", "estimated_finish_at", "phase"}
    for then, present in zip(was, now, strict=True):
        assert {key: fact for key, fact in then.items() if key not in of_the_clock} == {
            key: fact for key, fact in present.items() if key not in of_the_clock
        }


@ANY_STORY
@given(story=st.integers(0, 2**32), order=st.integers(0, 2**32))
async def test_the_past_is_the_same_in_whatever_order_it_was_told(
    model: Connection, story: int, order: int
) -> None:
    streams = a_log(Random(story))
    events = [event for stream in streams for event in stream]
    instants = sorted({event.at for event in events})[::7]
    told_in_order, _ = await past_after(model, [events], instants)
    told_anyhow, _ = await past_after(model, interleaved(Random(order), streams), instants)
    assert told_anyhow == told_in_order
    for then in told_in_order:
        counts = then["recipients"]
        total, _ = counts.pop("total"), counts.pop("rejected")
        assert sum(counts.values()) == total


@ANY_STORY
@given(story=st.integers(0, 2**32), share=st.floats(0, 1))
async def test_what_came_later_does_not_change_when_a_batch_was_set_going(
    model: Connection, story: int, share: float
) -> None:
    streams = a_log(Random(story))
    events = sorted((event for stream in streams for event in stream), key=lambda event: event.at)
    cut = events[int(share * (len(events) - 1))].at
    until_then = [event for event in events if event.at <= cut]
    then, _ = await turns_after(model, until_then, cut)
    _, looked_back = await turns_after(model, events, cut)
    for batch_id in then.keys() & looked_back.keys():
        assert looked_back[batch_id] == then[batch_id]


async def turns_after(
    conn: Connection, events: list[Event], instant: datetime
) -> tuple[dict[UUID, Turn], dict[UUID, Turn]]:
    """Of each batch, its last turn as it stands, and as it was at the instant."""
    transaction = conn.transaction()
    await transaction.start()
    try:
        await fold_events(conn, events, keys=OneKey())
        now = await batches_of(conn)
        past = [await batch_as_of(conn, batch, instant) for batch in now]
        return {it.batch_id: turn_of(it) for it in now}, {it.batch_id: turn_of(it) for it in past}
    finally:
        await transaction.rollback()


def turn_of(batch: Batch) -> Turn:
    return batch.turned_at, batch.turned_by
