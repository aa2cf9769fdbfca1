"""A batch starts when it is to, and fails only of what people can mend; mended, it goes on."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.house import CALLER, House
from tests.life import BRIEF, ENDLESS, Life, later, people

LIMIT = 2
OTHER_CALLER = "+442079460500"


@pytest.fixture
def life(standing: House) -> Iterator[Life]:
    standing.prepare(concurrency=LIMIT)
    standing.behave(**ENDLESS)
    opened = Life(standing)
    yield opened
    opened.close()


def test_a_batch_that_is_not_to_start_waits_for_the_word(life: Life) -> None:
    life.house.behave(**BRIEF)
    waiting, others = people(2), people(2)
    batch_id = life.create(waiting, start=False)
    life.over(life.create(others))
    assert life.until(batch_id, status="PENDING")["phase"] == "waiting_for_start"
    assert not life.ledger(waiting).entries
    started = life.done(batch_id, "start")
    assert started["status"] == "RUNNING"
    assert life.ask(batch_id, "start").verdict == (409, "action_not_allowed")
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(waiting)


def test_a_scheduled_batch_starts_by_itself_and_not_before(life: Life) -> None:
    life.house.behave(**BRIEF)
    due, called = later(2), people(2)
    batch_id = life.create(called, scheduled_at=due)
    assert life.show(batch_id)["status"] == "SCHEDULED"
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)
    first = min(entry["at"] for entry in life.ledger(called).of("request"))
    assert datetime.fromisoformat(first) >= datetime.fromisoformat(due)


def test_a_batch_whose_agent_is_disabled_fails_and_a_retry_continues_it(life: Life) -> None:
    agent = "of-the-faults"
    life.switch(agent=agent, active=True)
    called = people(6)
    batch_id = life.create(called, agent_id=agent)
    life.until_live(called, LIMIT)
    life.switch(agent=agent, active=False)
    life.house.behave(**BRIEF)
    life.hang_up(called)
    failed = life.until(batch_id, status="FAILED", phase="failed")
    assert (failed["reason_code"], failed["result"]) == ("agent_inactive", "failed")
    assert agent in failed["reason"]
    assert (failed["completed"], failed["pending"]) == (LIMIT, 4)

    life.done(batch_id, "retry")
    life.until(batch_id, status="FAILED")
    assert len(life.ledger(called).of("request")) == LIMIT, "still out of use"

    life.switch(agent=agent, active=True)
    life.done(batch_id, "retry")
    over = life.over(batch_id)
    assert (over["status"], over["result"], over["reason_code"]) == ("COMPLETED", "completed", None)
    life.everyone_was_called_once(called)


def test_a_batch_whose_number_is_disabled_fails_and_a_retry_continues_it(life: Life) -> None:
    number = f"/v1/phone-numbers/{OTHER_CALLER}"
    life.house.command("PUT", number, {"outbound": True})
    called = people(6)
    batch_id = life.create(called, from_number=OTHER_CALLER)
    life.until_live(called, LIMIT)
    life.house.command("DELETE", number, {})
    life.house.behave(**BRIEF)
    life.hang_up(called)
    failed = life.until(batch_id, status="FAILED", phase="failed")
    assert failed["reason_code"] == "from_number_not_outbound"
    assert OTHER_CALLER in failed["reason"]

    life.house.command("PUT", number, {"outbound": True})
    life.done(batch_id, "retry")
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)
    assert {entry["from"] for entry in life.ledger(called).of("request")} == {OTHER_CALLER}


def test_refused_credentials_fail_a_batch_until_they_are_mended(life: Life) -> None:
    life.house.behave(**BRIEF, faults={"unauthorized": 1})
    called = people(3)
    batch_id = life.create(called)
    failed = life.until(batch_id, status="FAILED", phase="failed")
    assert failed["reason_code"] == "carrier_unauthorized"
    assert not life.ledger(called).accepted()
    life.house.behave(**BRIEF)
    life.done(batch_id, "retry")
    assert life.over(batch_id)["result"] == "completed"
    assert sorted(entry["to"] for entry in life.ledger(called).accepted()) == sorted(called)
    assert {row["attempts"] for row in life.rows(batch_id)} == {1}, "a refusal is no attempt"
    assert {entry["from"] for entry in life.ledger(called).accepted()} == {CALLER}
