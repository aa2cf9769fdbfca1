"""Who is added is called, who is removed is not, who did not answer is called again."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.house import House, Json
from tests.life import BRIEF, ENDLESS, Life, people

LIMIT = 2


@pytest.fixture
def life(standing: House) -> Iterator[Life]:
    standing.prepare(concurrency=LIMIT)
    standing.behave(**ENDLESS)
    opened = Life(standing)
    yield opened
    opened.close()


def test_who_is_added_while_it_runs_is_called_like_everybody(life: Life) -> None:
    called, more, last = people(3), people(3), people(1)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    added = life.add(batch_id, more)
    assert (added.code, added.body["accepted"], added.body["confirmed"]) == (202, 3, True)
    life.until(batch_id, total=6)
    life.done(batch_id, "pause")
    added = life.add(batch_id, last)
    assert added.code == 202, "a batch that is paused takes them, too"
    rows = [(row["row"], row["phone_number"]) for row in life.rows(batch_id, since=added)]
    assert rows == list(enumerate([*called, *more, *last], 1)), "their rows count on"
    life.done(batch_id, "resume")
    life.house.behave(**BRIEF)
    life.hang_up(called)
    assert life.over(batch_id)["result"] == "completed"
    life.everyone_was_called_once([*called, *more, *last])
    assert life.add(batch_id, people(1)).verdict == (409, "batch_ended")


def test_who_is_removed_before_the_call_is_never_rung(life: Life) -> None:
    called = people(4)
    batch_id = life.create(called)
    life.until_live(called, LIMIT)
    in_a_call = {entry["to"] for entry in life.live(called)}
    ids = {row["phone_number"]: row["recipient_id"] for row in life.rows(batch_id)}
    gone = next(number for number in called if number not in in_a_call)
    rung = next(iter(in_a_call))
    assert life.remove(batch_id, ids[rung]).verdict == (409, "recipient_called")
    removed = life.remove(batch_id, ids[gone])
    assert (removed.code, removed.body["confirmed"]) == (202, True)
    assert life.remove(batch_id, ids[gone]).verdict == (404, "recipient_not_found")
    life.house.behave(**BRIEF)
    life.hang_up(called)
    over = life.over(batch_id)
    assert (over["result"], over["recipients"]["total"]) == ("completed", 3)
    life.everyone_was_called_once([number for number in called if number != gone])
    assert not life.ledger([gone]).entries
    assert life.remove(batch_id, ids[rung]).verdict == (409, "batch_ended")


def test_who_did_not_answer_is_called_again_as_the_policy_says(life: Life) -> None:
    life.house.behave(**BRIEF)
    called = people(4, "0001", "0002", "0003", "0005")
    policy = {"max_attempts": 3, "delay_seconds": [1, 0], "on": ["busy", "no_answer"]}
    batch_id = life.create(called, retry_policy=policy)
    over = life.over(batch_id)
    assert (over["result"], over["recipients"]["no_answer"]) == ("completed_partial", 3)
    ledger = life.ledger(called)
    asked = Counter(entry["to"][-4:] for entry in ledger.of("request"))
    assert asked == {"0001": 1, "0002": 3, "0003": 3, "0005": 1}
    assert set(ledger.requests_by_call().values()) == {1}
    for number in called[1:3]:
        first_end, second = at(ledger.to([number]).of("end")), at(ledger.to([number]).of("request"))
        assert (second[1] - first_end[0]).total_seconds() >= 1
    life.done(batch_id, "retry")
    life.over(batch_id)
    asked = Counter(entry["to"][-4:] for entry in life.ledger(called).of("request"))
    assert asked == {"0001": 1, "0002": 6, "0003": 6, "0005": 2}, "each run has its attempts"


def at(entries: list[Json]) -> list[datetime]:
    return [datetime.fromisoformat(entry["at"]) for entry in entries]


def test_a_carrier_that_takes_no_more_for_now_costs_nobody_an_attempt(life: Life) -> None:
    life.limit(40)
    life.house.behave(**BRIEF, calls_per_second=20)
    called = people(60)
    batch_id = life.create(called)
    over = life.over(batch_id)
    assert (over["result"], over["recipients"]["completed"]) == ("completed", 60)
    ledger = life.ledger(called)
    assert len(ledger.of("request")) > len(ledger.accepted()), "some were refused"
    assert sorted(entry["to"] for entry in ledger.accepted()) == sorted(called)
    assert set(ledger.requests_by_call().values()) == {1}
    assert {row["attempts"] for row in life.rows(batch_id)} == {1}
