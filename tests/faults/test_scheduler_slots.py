"""Ends that come twice, calls given back, several deciders at once: never more calls than slots."""

import asyncio
import random

import pytest

from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.outcomes import Outcome
from tests.conftest import DatabaseFactory
from tests.faults.mutants.scheduler import FREES_A_SLOT_TWICE, TAKES_NO_LOCK
from tests.scheduler_story import ACCOUNT, Story, account, ended, placing, returned
from tests.scheduler_world import REAL, Scheduler, World, world_on

SLOTS, DECIDERS, ROUNDS = 3, 3, 25


async def decide_at_once(world: World) -> list[RecipientQueued]:
    others = [world.kind.decider(world.pool, published=lambda: None) for _ in range(DECIDERS)]
    decided = await asyncio.gather(*(other.decide(ACCOUNT) for other in others))
    events = [event for one in decided for event in one.events]
    return [event for event in events if isinstance(event, RecipientQueued)]


def fate_of(grant: RecipientQueued, dice: random.Random) -> list[Event]:
    match dice.randrange(3):
        case 0:
            return [returned(grant), returned(grant)]
        case 1:
            return [placing(grant), ended(grant, Outcome.UNKNOWN), ended(grant)]
        case _:
            end = ended(grant)
            return [placing(grant), end, end]


async def most_slots_taken(kind: Scheduler, dsn: str) -> int:
    """The most grants that were out at any time and had not come to an end."""
    dice = random.Random(7)
    out: dict[object, RecipientQueued] = {}
    most = 0
    async with world_on(dsn, kind) as world:
        stories = [Story(name, recipients=60) for name in ("one", "two")]
        opening = [e for story in stories for e in (story.created(), story.chunk())]
        await world.given(account(SLOTS), *opening)
        for _ in range(ROUNDS):
            out |= {
                (grant.recipient_id, grant.grant_no): grant for grant in await decide_at_once(world)
            }
            most = max(most, len(out))
            grant = out.pop(dice.choice(list(out)))
            await world.given(*fate_of(grant, dice))
    return most


async def test_no_slot_is_given_to_two_calls(database: DatabaseFactory) -> None:
    assert await most_slots_taken(REAL, await database()) == SLOTS


@pytest.mark.parametrize("mutant", [FREES_A_SLOT_TWICE], ids=["frees a slot twice"])
async def test_a_scheduler_that_gives_too_many_slots_is_found_out(
    database: DatabaseFactory, mutant: Scheduler
) -> None:
    assert await most_slots_taken(mutant, await database()) > SLOTS


async def grants_said_at_once(kind: Scheduler, dsn: str) -> int:
    """By several deciders that nothing but the account's lock keeps apart, as slots are added."""
    said = 0
    async with world_on(dsn, kind) as world:
        story = Story(recipients=ROUNDS * SLOTS)
        await world.given(story.created(), story.chunk())
        for turn in range(1, ROUNDS + 1):
            await world.given(account(turn * SLOTS, version=turn))
            await world.pool.execute("DELETE FROM wakes")  # whoever deletes one waits for others
            said += len(await decide_at_once(world))
    return said


async def test_deciders_at_once_fill_the_free_slots_once(database: DatabaseFactory) -> None:
    assert await grants_said_at_once(REAL, await database()) == ROUNDS * SLOTS


async def test_a_scheduler_that_takes_no_lock_is_found_out(database: DatabaseFactory) -> None:
    assert await grants_said_at_once(TAKES_NO_LOCK, await database()) > ROUNDS * SLOTS
