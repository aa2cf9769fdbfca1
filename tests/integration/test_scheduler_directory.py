"""An agent or a number out of use stops a batch before its next call, until it is mended."""

from collections.abc import AsyncIterator, Sequence

import pytest

from contracts.batches import (
    BatchPauseRequested,
    BatchResumeRequested,
    BatchRetryRequested,
    RecipientRemovalRequested,
)
from contracts.directory import (
    AgentDisabled,
    AgentEvent,
    AgentRegistered,
    PhoneNumberDisabled,
    PhoneNumberEvent,
    PhoneNumberRegistered,
)
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.status import BatchActionRejected, BatchFailed
from tests.conftest import DatabaseFactory
from tests.scheduler_story import ACCOUNT, NOON, Story, account, ended
from tests.scheduler_world import World, world_on

OWN, OTHER = "+15550000000", "+15550000001"


@pytest.fixture
async def world(database: DatabaseFactory) -> AsyncIterator[World]:
    async with world_on(await database()) as world:
        yield world


def names(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def grants(events: Sequence[Event]) -> list[RecipientQueued]:
    return [event for event in events if isinstance(event, RecipientQueued)]


def agent(version: int, *, active: bool) -> AgentEvent:
    kind = AgentRegistered if active else AgentDisabled
    return kind(account_id=ACCOUNT, at=NOON, version=version, actor="t", agent_id="agent",
                name="Anna", active=active)  # fmt: skip


def number(version: int, *, usable: bool, phone_number: str = OWN) -> PhoneNumberEvent:
    kind = PhoneNumberRegistered if usable else PhoneNumberDisabled
    return kind(account_id=ACCOUNT, at=NOON, version=version, actor="t",
                phone_number=phone_number, outbound=usable, active=usable)  # fmt: skip


def not_outbound(version: int) -> PhoneNumberEvent:
    return PhoneNumberRegistered(account_id=ACCOUNT, at=NOON, version=version, actor="t",
                                 phone_number=OWN, outbound=False)  # fmt: skip


FAULTS = {
    "agent": (agent(2, active=False), agent(3, active=True), "agent_inactive"),
    "number": (number(2, usable=False), number(3, usable=True), "from_number_not_outbound"),
    "outbound": (not_outbound(2), number(3, usable=True), "from_number_not_outbound"),
}


@pytest.mark.parametrize("which", FAULTS)
async def test_a_batch_whose_agent_or_number_goes_fails_and_goes_on_once_it_is_mended(
    world: World, which: str
) -> None:
    fault, mended, code = FAULTS[which]
    story = Story(recipients=3)
    (first,) = grants(await world.when(account(1), story.created(), story.chunk()))
    (failed,) = await world.when(fault, fault, ended(first))
    assert isinstance(failed, BatchFailed)
    assert failed.reason_code == code
    assert failed.reason is not None
    assert "retry the batch" in failed.reason
    again = await world.when(story.ask(BatchRetryRequested))
    assert names(again) == ["BatchRetried", "BatchStarted", "BatchFailed"]
    assert await world.when(mended, fault) == []  # an older version is no news
    assert names(await world.when(story.ask(BatchRetryRequested))) == [
        "BatchRetried",
        "BatchStarted",
        "RecipientQueued",
    ]


async def test_a_paused_batch_fails_no_sooner_than_it_is_resumed(world: World) -> None:
    story = Story(recipients=2)
    await world.when(account(1), story.created(), story.chunk())
    await world.when(story.ask(BatchPauseRequested))
    assert await world.when(agent(2, active=False)) == []
    said = await world.when(story.ask(BatchResumeRequested))
    assert names(said) == ["BatchResumed", "BatchFailed"]


async def test_what_the_directory_has_not_told_of_is_in_use(world: World) -> None:
    story = Story(recipients=1)
    late = [number(2, usable=False, phone_number=OTHER), account(1)]
    assert names(await world.when(*late, story.created(), story.chunk()))[-1] == "RecipientQueued"


async def test_whoever_has_nobody_left_to_call_completes_without_an_agent(world: World) -> None:
    story = Story(recipients=1)
    (only,) = grants(await world.when(account(1), story.created(), story.chunk()))
    assert await world.when(agent(2, active=False)) == []
    assert names(await world.when(ended(only))) == ["BatchCompleted"]


async def test_a_recipient_s_own_number_out_of_use_fails_the_batch_as_its_turn_comes(
    world: World,
) -> None:
    story, other = Story(recipients=3), Story("other", recipients=5)
    first = story.chunk(rows=[1])
    theirs = story.chunk(rows=[2, 3], from_number=OTHER).recipients
    chunk = first.model_copy(update={"recipients": (*first.recipients, *theirs)})
    gone = number(1, usable=False, phone_number=OTHER)
    (grant,) = grants(await world.when(account(1), gone, story.created(), chunk))
    said = await world.when(ended(grant), other.created(), other.chunk(), account(3, version=2))
    assert names(said).count("BatchFailed") == 1
    assert {g.batch_id for g in grants(said)} == {other.batch_id}
    assert len(grants(said)) == 3
    assert names(await world.when(story.ask(BatchRetryRequested)))[-1] == "BatchStarted"
    await world.when(number(2, usable=True, phone_number=OTHER), account(9, version=3))
    assert story.batch_id in await called(world)


async def called(world: World) -> set[object]:
    rows = await world.pool.fetch("SELECT batch_id FROM recipients WHERE stage IN (1, 2, 3)")
    return {row["batch_id"] for row in rows}


async def test_only_who_is_of_the_batch_and_not_called_is_removed(world: World) -> None:
    story, other = Story(recipients=3), Story("other", recipients=3)
    await world.when(account(1), story.created(), story.chunk())
    await world.when(other.created(start=False), other.chunk())
    asked = [
        story.ask(RecipientRemovalRequested, recipient_id=recipient_id)
        for recipient_id in (
            story.recipient(1),
            other.recipient(1),
            story.recipient(9),
            story.recipient(2),
            story.recipient(2),
        )
    ]
    said = await world.when(*asked, *asked)
    refusals = [e.refusal if isinstance(e, BatchActionRejected) else None for e in said]
    nowhere = "recipient_not_found"
    assert refusals == ["recipient_called", nowhere, nowhere, None, nowhere]
    assert names(said)[3] == "RecipientRemoved"
