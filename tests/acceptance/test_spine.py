"""A real CSV in, every phone rung once: through HTTP, judged by the carrier's ledger."""

from collections import Counter
from pathlib import Path

import pytest

from tests.house import QUICK, House, csv_of, numbers, until

MAGIC = {
    "0001": "completed",
    "0002": "busy",
    "0003": "no_answer",
    "0004": "voicemail",
    "0005": "declined",
    "0006": "invalid",
}
LIMIT = 50


@pytest.fixture(scope="module")
def running(standing: House) -> House:
    standing.prepare(concurrency=LIMIT)
    standing.behave(seed=1, **QUICK)
    return standing


@pytest.mark.timeout(240)
def test_a_thousand_rows_with_every_outcome_ring_each_phone_once(running: House) -> None:
    since = running.seq()
    called = numbers(1000, tuple(MAGIC))
    wrong = ["12.5", "", "+1202555", "1.2E+10"]
    batch_id = running.create(csv_of([*called[:500], *wrong, *called[500:]]))
    batch = running.until_over(batch_id, 180)

    expected = Counter(MAGIC[number[-4:]] for number in called)
    assert batch["status"] == "COMPLETED"
    assert batch["result"] == "completed_partial"
    assert {o: n for o, n in batch["outcomes"].items() if n} == dict(expected)
    assert batch["recipients"] == {
        "total": 1000,
        "pending": 0,
        "queued": 0,
        "in_progress": 0,
        "completed": expected["completed"] + expected["voicemail"],
        "no_answer": expected["no_answer"] + expected["busy"] + expected["declined"],
        "failed": expected["invalid"],
        "rejected": len(wrong),
    }
    assert batch["remaining"] == 0

    ledger = running.ledger(since)
    assert Counter(entry["to"] for entry in ledger.of("request")) == Counter(called)
    assert set(ledger.requests_by_call().values()) == {1}, ledger.story()
    assert max(ledger.rings_by_number().values()) == 1
    assert 2 <= ledger.most_at_once() <= LIMIT


@pytest.mark.timeout(120)
def test_what_a_call_brought_back_can_be_read(running: House) -> None:
    called = ["+442079460001", "+442079460004"]
    batch_id = running.create(csv_of(called))
    running.until_over(batch_id, 60)
    people = running.all_of(f"/v1/batches/{batch_id}/recipients")
    assert [(p["row"], p["phone_number"], p["name"]) for p in people] == [
        (1, called[0], "Person 1"),
        (2, called[1], "Person 2"),
    ]
    assert [p["variables"] for p in people] == [{"plan": "Plan 1"}, {"plan": "Plan 2"}]
    assert [(p["status"], p["outcome"], p["attempts"]) for p in people] == [
        ("COMPLETED", "completed", 1),
        ("COMPLETED", "voicemail", 1),
    ]
    call = running.read(f"/v1/calls/{people[0]['call_id']}")
    assert call["outcome"] == "completed"
    assert call["cause"] == "answered_by_human"
    assert call["transcript"]
    assert call["duration_seconds"] > 0
    assert call["started_at"] <= call["answered_at"] <= call["ended_at"]
    assert len(running.all_of(f"/v1/batches/{batch_id}/calls")) == len(called)


def test_the_same_key_is_the_same_batch_and_rings_nobody_again(running: House) -> None:
    rows = csv_of(["+442079460011"])
    key = {"Idempotency-Key": "spring-2026"}
    first, again = running.upload(rows, key), running.upload(rows, key)
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    other = running.upload(csv_of(["+442079460012"]), key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    running.until_over(running.seen(first), 60)
    assert running.ledger().rings_by_number()["+442079460011"] == 1


def test_a_batch_outside_its_window_waits_and_says_so(running: House) -> None:
    tomorrow = {"start": "00:00", "end": "00:01", "days": ["mon"], "timezone": "Pacific/Kiritimati"}
    batch_id = running.create(csv_of(["+442079460013"]), window=tomorrow)

    def waits() -> bool:
        batch = running.read(f"/v1/batches/{batch_id}")
        return (batch["status"], batch["phase"]) == ("RUNNING", "waiting_for_window")

    until(waits, "phase waiting_for_window", 30)
    assert "+442079460013" not in running.ledger().rings_by_number()


def test_a_batch_left_to_be_started_is_pending(running: House) -> None:
    batch_id = running.create(csv_of(["+442079460014"]), start=False)
    assert running.read(f"/v1/batches/{batch_id}")["status"] == "PENDING"


def test_the_data_folder_holds_the_ledger_that_judged(running: House) -> None:
    assert (Path(running.folder) / "simulator" / "ledger.jsonl").stat().st_size > 0
