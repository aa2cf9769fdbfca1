"""A walk over the batches shows each that was there at its start once, whatever comes in."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.postgres import Connection, connect
from contracts import batches, status
from contracts.statuses import BatchStatus
from services.projections.domain.searching import Search
from services.projections.generations.definition import definition, stay_in
from services.projections.generations.live import prepare
from services.projections.handlers import fold_events
from services.projections.store import Reads
from tests.batch_story import AT, Story
from tests.conftest import databases
from tests.log_of_batches import OneKey
from tests.log_of_calls import SEAL

ACCOUNTS = count()
COMES = st.tuples(st.just("comes"), st.integers(0, 9))
"""With the instant of its creation: it may be older than what is there, or as old."""
GOES = st.tuples(st.just("goes"), st.integers(0, 20))
STARTS = st.tuples(st.just("starts"), st.integers(0, 20))
IS_RENAMED = st.tuples(st.just("is renamed"), st.integers(0, 20))
MEANWHILE = st.lists(st.lists(st.one_of(COMES, GOES, STARTS, IS_RENAMED), max_size=3), max_size=8)


@pytest.fixture(scope="module")
async def conns(postgres: str) -> AsyncIterator[tuple[Connection, Connection]]:
    """Who writes, and who reads."""
    async with databases(postgres) as make:
        dsn = await make()
        await prepare(dsn, definition())
        both = [await connect(dsn, application_name=name) for name in ("writes", "reads")]
        for conn in both:
            await stay_in(conn, 1)
        yield both[0], both[1]
        for conn in both:
            await conn.close()


class Account:
    """One that grows and shrinks while it is looked at."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.account_id = f"account {next(ACCOUNTS)}"
        self.living: dict[UUID, Story] = {}
        self._commands: Counter[UUID] = Counter()

    async def happens(self, what: str, number: int) -> None:
        if what == "comes":
            story = Story(SEAL, uuid4(), 1, account=self.account_id)
            at = AT + timedelta(minutes=number)
            event = story.created(f"Batch {number}").model_copy(update={"at": at})
            self.living[story.batch_id] = story
        elif not self.living:
            return
        else:
            story = list(self.living.values())[number % len(self.living)]
            match what:
                case "starts":
                    event = story.status(status.BatchStarted, BatchStatus.RUNNING)
                case "is renamed":
                    name = SEAL.close("Batch again")
                    event = story.command(batches.BatchRenamed, self._next(story), name=name)
                case _:
                    event = story.command(batches.BatchDeleted, self._next(story))
                    del self.living[story.batch_id]
        async with self._conn.transaction():
            await fold_events(self._conn, [event], keys=OneKey())

    def _next(self, story: Story) -> int:
        self._commands[story.batch_id] += 1
        return 1 + self._commands[story.batch_id]


async def page_of(
    conn: Connection, account_id: str, after: tuple[datetime, UUID] | None, search: str, size: int
) -> tuple[list[UUID], tuple[datetime, UUID] | None]:
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        reads = Reads(conn)
        ids = await reads.batches_page(
            account_id, status=None, search=Search.of(search), after=after, limit=size
        )
        found = [batch for batch, _ in await reads.batches(account_id, ids)]
    assert [batch.batch_id for batch in found] == ids
    last = (found[-1].created_at, found[-1].batch_id) if len(found) == size else None
    return ids, last


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.lists(COMES, max_size=8),
    meanwhile=MEANWHILE,
    search=st.sampled_from(["", "b", "batch"]),
    size=st.integers(1, 4),
)
async def test_a_walk_shows_each_batch_that_was_there_at_its_start_exactly_once(
    conns: tuple[Connection, Connection],
    first: list[tuple[str, int]],
    meanwhile: list[list[tuple[str, int]]],
    search: str,
    size: int,
) -> None:
    writes, reads = conns
    account = Account(writes)
    for what, number in first:
        await account.happens(what, number)
    there = set(account.living)
    steps = iter(meanwhile)
    seen, last = await page_of(reads, account.account_id, None, search, size)
    while last is not None:
        for what, number in next(steps, []):
            await account.happens(what, number)
        page, last = await page_of(reads, account.account_id, last, search, size)
        seen += page
    assert len(seen) == len(set(seen))
    assert there & set(account.living) <= set(seen)
