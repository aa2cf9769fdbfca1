"""Slots are shared, kept and given back as promised; who is in a call at what time proves it."""

from collections import Counter
from collections.abc import Iterator

import pytest

from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.topics import CONVERSATIONS, DISPATCH
from tests.heard import heard
from tests.house import House, until
from tests.life import BRIEF, ENDLESS, SOON, Life, people

LIMIT = 6


@pytest.fixture
def life(standing: House) -> Iterator[Life]:
    standing.prepare(concurrency=LIMIT)
    standing.behave(**ENDLESS)
    opened = Life(standing)
    yield opened
    opened.close()


def test_whoever_starts_late_gets_the_slots_that_come_free_until_both_have_as_many(
    life: Life,
) -> None:
    early, late = people(12), people(12)
    life.create(early)
    life.until_live(early, LIMIT)
    life.create(late)
    for freed in range(1, LIMIT // 2 + 1):
        life.hang_up(early, 1)
        life.until_live(late, freed)
    life.hang_up(early, 1)
    life.until_live(early, LIMIT // 2)
    life.hang_up(late, 1)
    life.until_live(late, LIMIT // 2)
    assert len(life.live(early)) == LIMIT // 2
    assert len(life.ledger(early).of("request")) == LIMIT + 1
    assert len(life.ledger(late).of("request")) == LIMIT // 2 + 1
    assert life.ledger([*early, *late]).most_at_once() == LIMIT


def test_a_batch_leaves_the_slots_it_reserves_to_others(life: Life) -> None:
    modest, other = people(8), people(8)
    life.create(modest, reserved_concurrency=2)
    life.until_live(modest, LIMIT - 2)
    life.create(other)
    life.until_live(other, 2)
    assert life.ledger(modest).most_at_once() == LIMIT - 2
    assert life.ledger([*modest, *other]).most_at_once() == LIMIT


def test_a_limit_that_is_lowered_and_raised_holds_from_then_on(life: Life) -> None:
    called = people(24)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    life.limit(2)
    lowered = life.house.seq()
    life.hang_up(called, LIMIT - 1)
    life.until_live(called, 2)
    for _ in range(3):
        life.hang_up(called, 1)
        life.until_live(called, 2)
    life.limit(5)
    life.until_live(called, 5)
    life.house.behave(**BRIEF)
    life.hang_up(called)
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)
    never_more_than_it_was_granted_under(life, called)
    first = life.house.ledger(after=lowered).to(called).of("request")[0]
    assert limits_of(life)[first["call_id"]] == 2


def limits_of(life: Life) -> dict[str, int]:
    """By call: the account's limit when its slot was granted."""
    queued = heard(life.house.endpoints["kafka"], DISPATCH)
    return {str(it.call_id): it.limit for it in queued if isinstance(it, RecipientQueued)}


def never_more_than_it_was_granted_under(life: Life, called: list[str]) -> None:
    """From the first request under a limit, until the first under another."""
    limits, live, limit = limits_of(life), 0, 0
    for entry in life.ledger(called).entries:
        if entry["kind"] == "request":
            live += 1
            limit = limits[entry["call_id"]]
            assert live <= limit, entry
        live -= entry["kind"] == "end"


def test_a_deleted_batch_keeps_its_slots_until_its_last_call_is_over(life: Life) -> None:
    life.limit(2)
    called, others = people(5), people(2)
    batch_id = life.create(called)
    life.until_live(called, 2)
    calls = [row["call_id"] for row in life.rows(batch_id) if row["call_id"]]
    deleted = life.ask(batch_id, "delete")
    assert deleted.code == 202
    begun = life.house.seq()
    assert life.is_gone(batch_id, deleted)
    assert len(life.live(called)) == 2, "nobody was cut off"
    other_id = life.create(others)
    life.house.behave(**BRIEF)
    life.hang_up(called, 1)
    life.over(other_id)
    assert life.ledger([*called, *others]).most_at_once() == 2
    assert life.ledger(others).most_at_once() == 1, "the other slot was taken still"
    assert life.ask(batch_id, "delete").code == 202
    life.hang_up(called)
    until(lambda: life.ask(batch_id, "delete").code == 204, "the last call over", SOON)
    assert not life.house.ledger(after=begun).to(called).of("request")
    told = heard(life.house.endpoints["kafka"], CONVERSATIONS)
    recorded = {str(it.call_id) for it in told if isinstance(it, ConversationRecorded)}
    assert len(calls) == 2
    assert not recorded & set(calls), "what was said is nobody's any more"


def test_who_is_listed_more_than_once_is_never_in_two_calls(life: Life) -> None:
    (number,) = people(1)
    first, second = life.create([number] * 3), life.create([number] * 2)
    for _ in range(5):
        life.until_live([number], 1)
        life.hang_up([number])
    for batch_id in (first, second):
        assert life.over(batch_id)["result"] == "completed"
    ledger = life.ledger([number])
    assert ledger.most_at_once() == 1
    assert Counter(ledger.requests_by_call().values()) == {1: 5}
