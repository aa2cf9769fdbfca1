"""Whoever follows a batch hears all of it once, though PostgreSQL is killed under the read side."""

import os
import signal
from pathlib import Path

import pytest

from deploy.embedded.infrastructure import Infrastructure, infrastructure
from tests.batch_story import a_story
from tests.counter import until
from tests.listening import following, positions
from tests.read_side import read_side_on


async def kill_postgres(infra: Infrastructure) -> None:
    """As an out-of-memory kill; its keeper starts it again."""
    keeper = next(each for each in infra.keepers if each.part.command.name == "postgres")
    before = keeper.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        return keeper.pid != before and await keeper.part.ready()

    await until(back, within=60)


@pytest.mark.chaos
async def test_a_stream_outlives_its_database(tmp_path: Path) -> None:
    async with (
        infrastructure(tmp_path / "d", databases=("projections", "vault")) as infra,
        read_side_on(
            infra.kafka, infra.postgres_dsn("projections"), infra.postgres_dsn("vault")
        ) as side,
    ):
        people = 30
        story = await a_story(side, people)
        await side.log([story.created(), story.chunk(), story.started()])
        await side.caught_up()
        path = f"/v1/batches/{story.batch_id}/events"
        async with following(side.http, path) as follower:
            await follower.until(lambda it: it.heard)
            for row in range(1, people + 1):
                await side.log([story.queued(row)])
                if row == people // 2:
                    await kill_postgres(infra)
            await follower.until(lambda it: len(it.of("entry")) >= people)
            assert not follower.ended
        heard = follower.of("entry")
        assert len({each.data["event_id"] for each in heard}) == len(heard) == people
        assert positions(heard) == sorted(positions(heard))
