"""One account's trouble is its own."""

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
