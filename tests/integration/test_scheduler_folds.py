"""Whatever the order of the topics and however often a record comes, the same state comes out."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from chassis.postgres import Pool
from contracts.batches import (
    Addition,
    BatchCancelRequested,
    BatchDeleted,
    BatchImportFailed,
    BatchPauseRequested,
    BatchResumeRequested,
    BatchRetryRequested,
    RecipientRemovalRequested,
    RecipientsAddRequested,
    RetryPolicy,
)
from contracts.calendar import WEEK, Window
from contracts.calls import ReturnReason
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import addition_id_of
from contracts.outcomes import Outcome
from contracts.topics import TOPIC_OF
from services.scheduler import handlers
from services.scheduler.handlers.commands import CommandGapError
from tests.conftest import DatabaseFactory
from tests.scheduler_story import Story, account, ended, placing, returned
from tests.scheduler_world import World, world_on

POLICY = RetryPolicy(max_attempts=2, delay_seconds=(0,), on=(Outcome.BUSY, Outcome.NO_ANSWER))
THEIRS = Window(start="00:00", end="24:00", days=WEEK, timezone="recipient")
WISHES = (
    BatchPauseRequested,
    BatchResumeRequested,
    BatchCancelRequested,
    BatchRetryRequested,
    BatchResumeRequested,
)
FOLDED = ("accounts", "batches", "commands", "additions", "chunks", "batch_zones", "recipients",
          "unknown_calls", "agents", "phone_numbers")  # fmt: skip
NAPPING = {"naps_until", "acts_at"}
"""What a decision found nothing to do until; the log does not say it."""


async def lived(world: World, dice: random.Random) -> list[Event]:
    """A log of three batches, as the scheduler lived it: calls, faults, wishes, a deletion."""
    one, two, three = Story("one", recipients=12, chunks=3), Story("two", recipients=8), Story("3")
    opening: list[Event] = [
        account(3),
        one.created(retry_policy=POLICY, window=THEIRS),
        *(one.chunk(n, zones=("Etc/UTC", "Europe/Paris")) for n in range(3)),
        two.created(retry_policy=POLICY),
        two.chunk(zones=("Europe/Paris",)),
        three.created(),
        three.chunk(),
        account(6, version=2),
    ]
    log = [*opening, *(await world.when(*opening))]
    grants = [event for event in log if isinstance(event, RecipientQueued)]
    for step in range(40):
        events: list[Event] = list(_call(grants, dice)) if grants else []
        if dice.random() < 0.3:
            events.append(dice.choice((one, two)).ask(dice.choice(WISHES)))
        if step == 10:
            row = two.recipient(8)
            events.append(two.ask(RecipientRemovalRequested, recipient_id=row))
        if step == 12:
            more = Addition(addition_id=addition_id_of(one.batch_id, 2), chunks=2, recipients=2)
            events.append(one.ask(RecipientsAddRequested, addition=more))
        if step == 20:
            events.append(three.ask(BatchDeleted))
        if step == 30:
            lost = {"addition_id": two.addition_id, "reason": "rows_lost"}
            events.append(two.ask(BatchImportFailed, **lost))
        said = await world.when(*events)
        log += [*events, *said]
        grants += [event for event in said if isinstance(event, RecipientQueued)]
    return log


def _call(grants: list[RecipientQueued], dice: random.Random) -> Sequence[Event]:
    grant = grants.pop(dice.randrange(len(grants)))
    match dice.randrange(5):
        case 0:
            why = dice.choice([ReturnReason.FATAL_FAULT, *ReturnReason])
            return [
                returned(
                    grant, why, detail=dice.choice("xyz"), not_before=dice.choice([None, grant.at])
                )
            ]
        case 1:
            return [placing(grant), ended(grant, Outcome.UNKNOWN), ended(grant, Outcome.BUSY)]
        case 2:
            return [placing(grant), ended(grant, Outcome.UNKNOWN)]
        case _:
            return [placing(grant), ended(grant, dice.choice(list(Outcome)))]


def shuffled(log: Sequence[Event], dice: random.Random) -> list[Event]:
    """Another interleaving: each key keeps its order, ends of it are sent once more."""
    lines: dict[tuple[str, str], list[Event]] = {}
    for event in log:
        lines.setdefault((TOPIC_OF[type(event)].name, event.key), []).append(event)
    for line in lines.values():
        since = dice.randrange(len(line))
        upto = dice.randrange(since, len(line))
        line[upto + 1 : upto + 1] = line[since : upto + 1]
    merged: list[Event] = []
    left = [line[::-1] for line in lines.values()]
    while left:
        line = dice.choice(left)
        merged.append(line.pop())
        if not line:
            left.remove(line)
    return merged


async def fold_in_polls(pool: Pool, log: Sequence[Event], dice: random.Random) -> None:
    while log:
        size = dice.choice([1, 2, 5, 30])
        poll, log = log[:size], log[size:]
        async with pool.acquire() as conn, conn.transaction():
            await handlers.apply(conn, poll)


async def tables(pool: Pool) -> dict[str, list[Any]]:
    return {
        name: sorted(
            (
                tuple(value for column, value in row.items() if column not in NAPPING)
                for row in await pool.fetch(f"TABLE {name}")
            ),
            key=repr,
        )
        for name in FOLDED
    }


@pytest.mark.parametrize("seed", range(6))
async def test_any_interleaving_with_repeats_folds_to_the_state_that_was_lived(
    database: DatabaseFactory, seed: int
) -> None:
    dice = random.Random(seed)
    async with world_on(await database()) as live, world_on(await database()) as again:
        log = await lived(live, dice)
        assert len(log) > 80
        story = shuffled(log, dice)
        await fold_in_polls(again.pool, story, dice)
        was, now = await tables(live.pool), await tables(again.pool)
        for name in FOLDED:
            assert now[name] == was[name], name
        assert (await again.decided()).events == (await live.decided()).events == []


async def test_a_missing_command_stops_its_batch_and_is_said(database: DatabaseFactory) -> None:
    story = Story()
    created, _, cancel = (
        story.created(),
        story.ask(BatchPauseRequested),
        story.ask(BatchCancelRequested),
    )
    async with world_on(await database()) as world:
        await world.given(created)
        with pytest.raises(CommandGapError, match="command 3 follows 1"):
            await world.given(cancel)


async def test_a_fold_wakes_the_accounts_it_matters_to_and_no_other(
    database: DatabaseFactory,
) -> None:
    story = Story(recipients=1)
    async with world_on(await database()) as world:
        (queued,) = [
            event
            for event in await world.when(account(1), story.created(), story.chunk())
            if isinstance(event, RecipientQueued)
        ]
        await world.pool.execute("DELETE FROM wakes")
        await world.given(queued, placing(queued))
        assert await world.decider.decide_all_due() == 0
        await world.given(ended(queued))
        assert await world.decider.decide_all_due() == 1
