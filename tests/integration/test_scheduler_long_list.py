"""What a decision reads does not grow with the list: else a list costs the square of its length."""

from typing import ClassVar

from contracts.dispatch import RecipientQueued
from services.scheduler.decider import Decider
from services.scheduler.decision import Decided, Decision
from tests.conftest import DatabaseFactory
from tests.scheduler_story import Story, account, ended
from tests.scheduler_world import Scheduler, world_on

LONG, SLOTS = 6_000, 5
A_FEW = 40 * SLOTS
"""Rows of people that a decision on so many slots may look at."""
READ = """
    SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
    WHERE relid = 'recipients'::regclass
"""
LOOKS_CHEAP = """
    -- To gather all who wait: as wide as sealed people are, and from many additions.
    UPDATE recipients SET sealed = repeat('s', 400), addition_id = md5((row % 500)::text)::uuid
"""
SHARE_A_NUMBER = """
    -- Some who are next wait for another of their number, who is in a call.
    UPDATE recipients SET same_number_as =
        (SELECT recipient_id FROM recipients WHERE stage IN (1, 2, 3) ORDER BY row LIMIT 1)
    WHERE recipient_id IN
        (SELECT recipient_id FROM recipients WHERE due_at IS NOT NULL ORDER BY row LIMIT 3)
"""


class _Counted(Decision):
    rows: ClassVar[list[int]] = []

    async def make(self) -> Decided:
        before = await self.conn.fetchval(READ)  # what earlier statements read may stand in it
        decided = await super().make()
        self.rows.append(await self.conn.fetchval(READ) - before)
        return decided


class _Counting(Decider):
    decision = _Counted


async def test_who_is_next_on_a_long_list_is_found_without_reading_all_who_wait(
    database: DatabaseFactory,
) -> None:
    async with world_on(await database(), Scheduler(_Counting)) as world:
        story = Story(recipients=LONG, chunks=6)
        begun = await world.when(account(SLOTS), story.created(), *story.all_chunks())
        await world.pool.execute(LOOKS_CHEAP)
        await world.pool.execute(SHARE_A_NUMBER)
        await world.pool.execute("VACUUM ANALYZE")
        _Counted.rows.clear()
        for grant in [event for event in begun if isinstance(event, RecipientQueued)]:
            assert len(await world.when(ended(grant))) == 1, "a free slot is granted"
        assert len(_Counted.rows) == SLOTS
        assert max(_Counted.rows) <= A_FEW, _Counted.rows
