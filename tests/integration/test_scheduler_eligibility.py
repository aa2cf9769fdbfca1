"""Who is granted a slot is who, by the shared rules, lacks nothing else: SQL and rules agree.

And so do they on who comes first.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest

from contracts.batches import RetryPolicy
from contracts.calendar import WEEK, Window
from contracts.dispatch import RecipientQueued
from contracts.eligibility import BatchFacts, RecipientFacts, in_the_way, turn_of
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.progress import Progress, Rules, evolve
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.status import BatchRetried
from contracts.statuses import BatchStatus
from tests.conftest import DatabaseFactory
from tests.scheduler_story import Story, account, ended, placing, queued, returned
from tests.scheduler_world import world_on

EPOCH, PEOPLE, FREE = 5, 300, 20
POLICY = RetryPolicy(max_attempts=3, delay_seconds=(0, 3600), on=(Outcome.BUSY, Outcome.FAILED))
NOW = datetime.now(UTC)
TIMES = (None, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
ZONES: tuple[tuple[str, ...], ...] = ((), ("Etc/UTC",), ("Etc/UTC", "Etc/GMT-12"), ("Etc/GMT-12",))


def history(story: Story, row: int, dice: random.Random) -> Iterator[Event]:
    """What has been said of one recipient: some grants with their ends, the last one maybe open."""
    attempt = run_attempt = 0
    epoch = dice.randrange(1, EPOCH + 1)
    for grant_no in range(1, dice.randrange(4) + 1):
        grant = queued(
            story.batch_id,
            story.recipient(row),
            grant_no,
            attempt=attempt + 1,
            run_attempt=run_attempt + 1,
            epoch=epoch,
        ).model_copy(update={"at": dice.choice([NOW - timedelta(minutes=2), NOW])})
        yield grant
        epoch = dice.randrange(epoch, EPOCH + 1)
        if dice.random() < 0.2:
            yield returned(grant, not_before=dice.choice(TIMES))
            continue
        yield placing(grant)
        attempt, run_attempt = attempt + 1, run_attempt + 1
        if dice.random() < 0.9:
            yield ended(grant, dice.choice(list(Outcome)))


def chunk_of(story: Story, called: set[int], dice: random.Random) -> RecipientsAdded:
    """Whoever was called before had reached its hour."""
    entries = tuple(
        RecipientEntry(
            recipient_id=story.recipient(row),
            row=row,
            sealed="s",
            zones=dice.choice(ZONES),
            not_before=dice.choice(TIMES[:2] if row in called else TIMES),
            same_number_as=(
                story.recipient(dice.randrange(max(1, row - 9), row))
                if row > 1 and dice.random() < 0.2
                else None
            ),
        )
        for row in range(1, PEOPLE + 1)
    )
    return story.chunk(rows=[1]).model_copy(update={"recipients": entries})


@pytest.mark.parametrize("zone", ["recipient", "UTC"])
@pytest.mark.parametrize("retry_epochs", [(0, 0), (3, 0), (5, 3)])
async def test_who_is_granted_is_who_lacks_only_a_slot(
    database: DatabaseFactory, zone: str, retry_epochs: tuple[int, int]
) -> None:
    dice = random.Random(f"{zone}{retry_epochs}")
    story = Story(recipients=PEOPLE)
    start = (NOW - timedelta(hours=4)).strftime("%H:%M")
    end = (NOW + timedelta(hours=4)).strftime("%H:%M")
    window = Window(start=start, end=end, days=WEEK, timezone=zone, fallback_timezone="UTC")
    lives = {row: list(history(story, row, dice)) for row in range(1, PEOPLE + 1)}
    created = story.created(window=window, retry_policy=POLICY)
    chunk = chunk_of(story, {row for row, life in lives.items() if life}, dice)
    rules = Rules(POLICY, *retry_epochs)
    running = BatchRetried(
        account_id=created.account_id,
        at=NOW,
        batch_id=story.batch_id,
        sequence=1,
        status=BatchStatus.RUNNING,
        epoch=EPOCH,
        retry_epoch=rules.retry_epoch,
        unknown_retry_epoch=rules.unknown_retry_epoch,
        command_no=1,
    )
    facts = BatchFacts(BatchStatus.RUNNING, window, rules)
    progress = {
        entry.recipient_id: reduce(evolve, lives[entry.row], Progress())  # type: ignore[arg-type]
        for entry in chunk.recipients
    }
    turns = []
    for entry in chunk.recipients:
        one = RecipientFacts(
            progress[entry.recipient_id],
            ("UTC",) if zone == "UTC" or not entry.zones else entry.zones,
            entry.not_before,
            progress[entry.same_number_as] if entry.same_number_as else None,
        )
        if not in_the_way(facts, one, datetime.now(UTC)):
            turns.append((turn_of(one, rules, datetime.now(UTC)), entry.row))
    expected = [row for _, row in sorted(turns)]
    assert 30 < len(expected) < PEOPLE - 10
    said = [event for life in lives.values() for event in life]
    in_flight = sum(each.in_flight for each in progress.values())
    row_of = {entry.recipient_id: entry.row for entry in chunk.recipients}
    async with world_on(await database()) as world:
        told = (account(in_flight + FREE), created, chunk, running, *said)
        for limit in (None, account(10_000, version=2)):
            events = await world.when(*(told if limit is None else (limit,)))
            granted = [row_of[e.recipient_id] for e in events if isinstance(e, RecipientQueued)]
            assert granted == (expected[:FREE] if limit is None else expected[FREE:])
