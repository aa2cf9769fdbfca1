"""People's word holds while dialers die and freeze; who may have rung is not called unasked."""

from collections.abc import Iterator

import pytest

from tests.house import House, until
from tests.life import BRIEF, ENDLESS, SOON, Life, people

LIMIT = 20


@pytest.fixture
def life(running: House) -> Iterator[Life]:
    running.prepare(concurrency=LIMIT)
    running.behave(**BRIEF)
    opened = Life(running)
    yield opened
    opened.close()


def paused_for_certain(life: Life, batch_id: str) -> int:
    """Whatever the first answer is; gives where the ledger stood."""
    answer = life.ask(batch_id, "pause")
    assert answer.code in (200, 202), answer
    if answer.code == 202:
        life.until(batch_id, status="PAUSED", phase="paused")
    return life.house.seq()


def goes_on_until_everyone_was_called(
    life: Life, batch_id: str, called: list[str], paused_at: int
) -> None:
    others = people(LIMIT)
    life.over(life.create(others))
    assert not life.house.ledger(after=paused_at).to(called).of("request"), "called while paused"
    life.done(batch_id, "resume")
    assert life.over(batch_id, 60)["status"] == "COMPLETED"
    unsent = {row["phone_number"] for row in life.rows(batch_id) if row["outcome"] == "unknown"}
    life.everyone_was_called_once([number for number in called if number not in unsent])
    assert not life.ledger(list(unsent)).entries, "who died with a request in hand never sent it"


@pytest.mark.chaos
@pytest.mark.timeout(180)
def test_a_pause_holds_when_a_dialer_was_frozen_meanwhile(life: Life) -> None:
    called = people(80)
    batch_id = life.create(called)
    until(lambda: len(life.ledger(called).of("request")) >= 10, "some called", SOON)
    with life.house.frozen("dialer-1"):
        paused_at = paused_for_certain(life, batch_id)
    goes_on_until_everyone_was_called(life, batch_id, called, paused_at)


@pytest.mark.chaos
@pytest.mark.timeout(180)
def test_a_pause_holds_when_a_dialer_was_killed_meanwhile(life: Life) -> None:
    called = people(80)
    batch_id = life.create(called)
    until(lambda: len(life.ledger(called).of("request")) >= 10, "some called", SOON)
    life.house.kill("dialer-2")
    paused_at = paused_for_certain(life, batch_id)
    goes_on_until_everyone_was_called(life, batch_id, called, paused_at)


@pytest.mark.timeout(120)
def test_nobody_is_called_again_while_it_is_unknown_whether_they_rang_unless_people_ask(
    life: Life,
) -> None:
    life.house.behave(**BRIEF, faults={"lost_request": 1})
    called = people(4)
    batch_id = life.create(called)
    over = life.over(batch_id)
    assert (over["result"], over["outcomes"]["unknown"]) == ("failed", 4)
    life.house.behave(**BRIEF)
    life.done(batch_id, "retry")
    assert life.over(batch_id)["result"] == "failed"
    life.everyone_was_called_once(called)

    life.done(batch_id, "retry", include_unknown=True)
    assert life.over(batch_id)["result"] == "completed"
    ledger = life.ledger(called)
    assert sorted(entry["to"] for entry in ledger.of("request")) == sorted(called * 2)
    assert set(ledger.requests_by_call().values()) == {1}
    assert set(ledger.rings_by_number().values()) == {1}


@pytest.mark.timeout(120)
def test_whose_answer_was_lost_is_found_and_not_called_again(life: Life) -> None:
    life.house.behave(**ENDLESS, faults={"lost_response": 1})
    called = people(4)
    batch_id = life.create(called)
    life.until_live(called, 4)
    life.done(batch_id, "cancel")
    life.done(batch_id, "retry", include_unknown=True)
    life.hang_up(called)
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)


@pytest.mark.timeout(120)
def test_what_nobody_judged_in_time_is_done_later_once_and_its_key_tells(life: Life) -> None:
    life.house.behave(**ENDLESS)
    called = people(3)
    batch_id = life.create(called)
    life.until_live(called, 3)
    with life.house.frozen("scheduler"):
        taken = life.ask(batch_id, "pause", key="a-pause")
        assert (taken.code, taken.body["confirmed"]) == (202, False)
    life.until(batch_id, status="PAUSED", phase="paused")
    told = life.ask(batch_id, "pause", key="a-pause")
    assert (told.code, told.body["status"]) == (200, "PAUSED")
    assert life.ask(batch_id, "pause").verdict == (409, "action_not_allowed")
    life.done(batch_id, "resume")
    life.hang_up(called)
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once(called)


@pytest.mark.chaos
@pytest.mark.timeout(120)
def test_a_command_is_judged_by_the_scheduler_that_comes_after_one_that_died(life: Life) -> None:
    called = people(100)
    batch_id = life.create(called)
    until(lambda: len(life.ledger(called).of("request")) >= 10, "some called", SOON)
    died = life.house.kill("scheduler")
    paused_at = paused_for_certain(life, batch_id)
    assert life.house.is_back("scheduler", died)
    goes_on_until_everyone_was_called(life, batch_id, called, paused_at)
