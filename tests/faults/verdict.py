"""The ledger's verdict on a batch that is over: who was rung, how often, and what is said of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.faults.announced import placings
from tests.house import House, Json, csv_of, numbers
from tests.ledger import Ledger

BY_SIP = {486: "busy", 480: "no_answer", 487: "no_answer", 603: "declined", 404: "invalid"}
STATUS = {
    "completed": "COMPLETED",
    "voicemail": "COMPLETED",
    "no_answer": "NO_ANSWER",
    "busy": "NO_ANSWER",
    "declined": "NO_ANSWER",
}
LATE = timedelta(seconds=1)
"""What the carrier's side may add between the write of a request and its entry in the ledger."""


@dataclass(frozen=True, slots=True)
class Run:
    """A batch of a house, the numbers on its list, and the ledger since before it was made."""

    house: House
    batch_id: str
    called: Sequence[str]
    since: int
    limit: int

    def judge(self, seconds: float) -> Ledger:
        """Once it is over; gives the ledger that was judged."""
        batch = self.house.until_over(self.batch_id, seconds)
        ledger = self.house.ledger(after=self.since).to(self.called)
        people = self.house.all_of(f"/v1/batches/{self.batch_id}/recipients")
        nobody_is_rung_twice(ledger)
        nothing_rings_unannounced(ledger, self.house.endpoints["kafka"])
        assert ledger.most_at_once() <= self.limit, "more at a time than the account may"
        everyone_is_accounted_for(batch, people, self.called)
        what_is_said_is_what_was(people, ledger)
        return ledger


def nobody_is_rung_twice(ledger: Ledger) -> None:
    assert all(count == 1 for count in ledger.requests_by_call().values()), ledger.story()
    by_number = Counter(entry["to"] for entry in ledger.of("request"))
    assert all(count == 1 for count in by_number.values()), by_number.most_common(3)


def nothing_rings_unannounced(ledger: Ledger, kafka: str) -> None:
    announced = placings(kafka)
    for entry in ledger.of("request"):
        placing = announced.get(UUID(entry["call_id"]))
        assert placing is not None, f"not announced: {entry}"
        assert datetime.fromisoformat(entry["at"]) < placing.send_before + LATE, f"late: {entry}"


def everyone_is_accounted_for(batch: Json, people: Sequence[Json], called: Sequence[str]) -> None:
    assert batch["status"] == "COMPLETED", batch
    assert batch["remaining"] == 0, batch
    assert [person["phone_number"] for person in people] == list(called)
    statuses = Counter(person["status"].lower() for person in people)
    assert set(statuses) <= {"completed", "no_answer", "failed"}, statuses
    said = {name: count for name, count in batch["recipients"].items() if count}
    assert said == {"total": len(called), **statuses}
    outcomes = Counter(person["outcome"] for person in people)
    assert {name: count for name, count in batch["outcomes"].items() if count} == outcomes


def what_is_said_is_what_was(people: Sequence[Json], ledger: Ledger) -> None:
    """`unknown` only where the carrier never took the call: whatever it took can be looked up."""
    ended = endings(ledger)
    wrong = [
        (person, ended.get(person["call_id"], "unknown"))
        for person in people
        if person["outcome"] != ended.get(person["call_id"], "unknown")
        or person["status"] != STATUS.get(person["outcome"], "FAILED")
        or person["attempts"] != 1
    ]
    assert not wrong, f"{len(wrong)} wrong, such as {wrong[:3]}"


def endings(ledger: Ledger) -> dict[str, Any]:
    """By call: the outcome that the ledger shows; None while it is live."""
    by = {entry["call_id"]: entry["answered_by"] for entry in ledger.of("answer")}
    answered = {call: "voicemail" if who == "machine" else "completed" for call, who in by.items()}
    ended = {
        entry["call_id"]: answered.get(entry["call_id"], BY_SIP.get(entry["sip_code"], "failed"))
        for entry in ledger.of("end")
    }
    return {entry["call_id"]: None for entry in ledger.accepted()} | ended


def every_slot_can_be_used(house: House, limit: int) -> None:
    """After whatever happened: a further batch has all the slots, and no more."""
    house.behave(seed=2, outcomes={"answered": 1}, ring_seconds=0.5, talk_seconds=2.5)
    since = house.seq()
    called = numbers(limit + 5, ("7007",))
    run = Run(house, house.create(csv_of(called)), called, since, limit)
    assert run.judge(60).most_at_once() == limit, "a slot is lost"
