"""One account's trouble is its own."""

import asyncio

from chassis.outbox import Q as OUTBOX
from services.scheduler.decider import Decider
from services.scheduler.decision import Decided, Decision
from services.scheduler.store import Q
from tests.conftest import DatabaseFactory
from tests.scheduler_story import Story, account
from tests.scheduler_world import Scheduler, world_on

BROKEN = "broken"


class _Stumbles(Decision):
    async def make(self) -> Decided:
        if BROKEN in self.accounts:
            raise KeyError("a bug")
        return await super().make()


class _Stumbling(Decider):
    decision = _Stumbles


async def test_accounts_that_are_due_at_once_each_keep_to_their_own_limit(
    database: DatabaseFactory,
) -> None:
    async with world_on(await database()) as world:
        limits = {f"account{n}": n % 4 + 1 for n in range(60)}
        for account_id, limit in limits.items():
            story = Story(account_id, recipients=5)
            events = (account(limit), story.created(), story.chunk())
            await world.given(*(e.model_copy(update={"account_id": account_id}) for e in events))
        others = [world.kind.decider(world.pool, published=lambda: None) for _ in range(3)]
        while any(await asyncio.gather(*(other.decide_all_due() for other in others))):
            pass
        rows = await world.pool.fetch(
            "SELECT account_id, count(*) AS calls FROM recipients WHERE stage = 1 GROUP BY 1"
        )
        assert {row["account_id"]: row["calls"] for row in rows} == limits


async def test_an_account_that_cannot_be_decided_on_does_not_stop_the_others(
    database: DatabaseFactory,
) -> None:
    async with world_on(await database(), Scheduler(_Stumbling)) as world:
        story = Story(recipients=2)
        await world.given(account(1), story.created(), story.chunk())
        await world.pool.execute(Q.wake, [BROKEN], [None], [False], [None])
        assert await world.decider.decide_all_due() == 2
        assert await world.pool.fetchval(OUTBOX.outbox_depth) > 0
        assert world.decider.stuck == {BROKEN: "KeyError"}
        assert await world.decider.decide_all_due() == 0  # it is put off, not forgotten
        assert await world.pool.fetchval(Q.next_wake) > 0
