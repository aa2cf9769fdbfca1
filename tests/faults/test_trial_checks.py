"""Each check of a trial finds what it is for, in a ledger that was made by hand; and no more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from contracts.calls import CallPlacing
from contracts.dispatch import RecipientQueued
from tests.faults.trial.checks import Evidence, Told, judged
from tests.faults.trial.fire import Struck
from tests.faults.trial.known import Known, Limits
from tests.faults.trial.schedule import Fault, Kind
from tests.faults.trial.tally import Tally
from tests.faults.trial.wishes import Wish
from tests.house import ALWAYS, Json
from tests.ledger import Ledger

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANN, BOB, CAL = "+12122200001", "+12122210001", "+12122220001"
ONCE: Json = {"retry_policy": {"max_attempts": 1}, "window": ALWAYS}
TWICE: Json = {"retry_policy": {"max_attempts": 2}, "window": ALWAYS}
ANSWERED, BUSY = 200, 486


class Story:
    """A batch of an account, its calls as the ledger has them, and what is said of it."""

    def __init__(self, **wish: object) -> None:
        settled = {"rows": (ANN, BOB, CAL), "settings": ONCE, **wish}
        self.batch = Known("acme", "one", "+442071000000", Wish(**settled))  # type: ignore[arg-type]
        self.limits = Limits([(AT - SECOND, 2)])
        self.entries: list[Json] = []
        self.announced: dict[UUID, CallPlacing] = {}
        self.told: dict[str, Told] = {}
        self.unheard: list[RecipientQueued] = []

    def call(
        self,
        to: str,
        start: float,
        end: float,
        *,
        no: int = 1,
        code: int = ANSWERED,
        **request: object,
    ) -> str:
        call_id = str(uuid5(UUID(int=no), to))
        self._note("request", start, call_id, to, **{"accepted": True, "status": 201, **request})
        if code == ANSWERED:
            self._note("answer", end, call_id, to, answered_by="human")
        self._note("end", end, call_id, to, sip_code=code)
        self.announced[UUID(call_id)] = CallPlacing(
            account_id="acme", at=AT, batch_id=UUID(int=1), recipient_id=UUID(int=2),
            call_id=UUID(call_id), grant_no=no, attempt=no, epoch=1, carrier="simulator",
            send_before=AT + (start + 1) * SECOND,
        )  # fmt: skip
        return call_id

    def _note(self, kind: str, second: float, call_id: str, to: str, **more: object) -> None:
        at = (AT + second * SECOND).isoformat()
        caller = self.batch.caller
        entry = {"kind": kind, "at": at, "call_id": call_id, "to": to, "from": caller, **more}
        self.entries.append(entry)

    def say(self, status: str, people: dict[str, tuple[str, str | None, str]]) -> None:
        counts = {"total": len(people), "queued": 0, "in_progress": 0}
        rows = [
            {"row": n, "phone_number": to, "status": it, "outcome": outcome, "call_id": call_id}
            for n, (to, (it, outcome, call_id)) in enumerate(people.items())
        ]
        self.told["one"] = Told({"status": status, "recipients": counts}, rows)

    def evidence(self) -> Evidence:
        entries = sorted(self.entries, key=lambda entry: str(entry["at"]))
        limits = {"acme": self.limits}
        ledger = Ledger(entries)
        return Evidence(
            ledger, [self.batch], limits, self.announced, self.told, unheard=self.unheard
        )

    def breaches(self) -> set[str]:
        return {breach.check for breach in judged(self.evidence())}


def ordinary(**wish: object) -> Story:
    story = Story(**wish)
    calls = [story.call(ANN, 0, 2), story.call(BOB, 1, 3), story.call(CAL, 4, 5, code=BUSY)]
    said = [("COMPLETED", "completed"), ("COMPLETED", "completed"), ("NO_ANSWER", "busy")]
    people = zip((ANN, BOB, CAL), said, calls, strict=True)
    story.say("COMPLETED", {to: (*words, call) for to, words, call in people})
    return story


def test_of_a_run_in_which_all_was_well_nothing_is_said() -> None:
    assert ordinary().breaches() == set()


def test_a_second_request_of_a_call_is_found() -> None:
    story = ordinary()
    story.call(ANN, 6, 7)
    assert "at_most_one_request_reaches_the_carrier_per_call" in story.breaches()


def test_a_call_more_than_was_asked_for_is_found() -> None:
    story = ordinary()
    story.call(CAL, 6, 7, no=2, code=BUSY)
    assert "nobody_is_called_more_often_than_asked" in story.breaches()


def test_a_request_that_was_certainly_turned_away_may_be_made_anew() -> None:
    story = ordinary()
    story.call(BOB, 0.5, 0.6, no=7, accepted=False, status=429)
    assert not {one for one in story.breaches() if "asked" in one or "reason" in one}


def test_a_call_of_nobodys_batch_is_found() -> None:
    story = ordinary()
    story.entries[0]["from"] = "+442071999999"
    assert "nobody_is_called_more_often_than_asked" in story.breaches()


def test_who_answered_is_not_called_again_by_itself_and_who_was_busy_may_be() -> None:
    story = ordinary(settings=TWICE)
    story.call(CAL, 6, 7, no=2)
    assert "nobody_is_called_again_without_a_reason" not in story.breaches()
    story.call(ANN, 6, 7, no=2)
    assert "nobody_is_called_again_without_a_reason" in story.breaches()


def test_who_is_in_two_calls_at_once_is_found() -> None:
    story = ordinary(settings=TWICE)
    story.call(BOB, 2, 4, no=2)
    assert "nobody_is_in_two_calls_at_once" in story.breaches()


def test_a_call_above_the_limit_is_found_and_an_earlier_limit_still_counts() -> None:
    story = ordinary()
    story.limits.set.append((AT + 0.5 * SECOND, 1))
    assert story.breaches() == set()
    story.limits.settle()
    story.limits.set[0] = (AT - SECOND, 1)
    assert story.breaches() == {"never_more_at_a_time_than_the_account_may"}


def test_a_call_after_the_answer_that_all_is_quiet_is_found_and_one_after_a_resume_is_not() -> None:
    story = ordinary()
    story.batch.quiet.append((AT + 3 * SECOND, AT + 3.5 * SECOND))
    assert story.breaches() == set()
    story.batch.quiet[0] = (AT + 3 * SECOND, None)
    assert story.breaches() == {"nothing_rings_after_the_answer_that_all_is_quiet"}


@pytest.mark.parametrize(
    "wish",
    [
        {"settings": {**ONCE, "window": {**ALWAYS, "end": "11:00"}}},
        {"not_before": {BOB: AT + 2 * SECOND}},
        {"scheduled_at": AT + SECOND},
    ],
    ids=["outside the hours", "before a person's time", "before the batch's time"],
)
def test_a_call_at_the_wrong_time_is_found(wish: dict[str, object]) -> None:
    assert ordinary(**wish).breaches() == {"nothing_rings_at_the_wrong_time"}


def test_a_call_that_the_log_did_not_announce_or_that_leaves_late_is_found() -> None:
    story = ordinary()
    call_id, placing = next(iter(story.announced.items()))
    story.announced[call_id] = replace_placing(placing, AT - 2 * SECOND)
    assert story.breaches() == {"nothing_rings_unannounced_or_late"}
    del story.announced[call_id]
    assert story.breaches() == {"nothing_rings_unannounced_or_late"}


def replace_placing(placing: CallPlacing, send_before: datetime) -> CallPlacing:
    return placing.model_copy(update={"send_before": send_before})


def test_somebody_forgotten_in_a_completed_batch_is_found() -> None:
    story = ordinary()
    people = story.told["one"].people
    story.told["one"] = replace(
        story.told["one"], people=[{**people[0], "status": "PENDING"}, *people[1:]]
    )
    assert story.breaches() == {"everyone_of_a_batch_that_is_over_is_accounted_for"}


def test_somebody_missing_from_the_list_is_found() -> None:
    story = ordinary()
    told = story.told["one"]
    counts = {**told.batch["recipients"], "total": 2}
    story.told["one"] = Told({**told.batch, "recipients": counts}, told.people[:2])
    assert story.breaches() == {"everyone_of_a_batch_that_is_over_is_accounted_for"}


def test_an_outcome_that_is_not_what_was_is_found() -> None:
    story = ordinary()
    people = story.told["one"].people
    wrong = [{**people[0], "outcome": "busy", "status": "NO_ANSWER"}, *people[1:]]
    story.told["one"] = replace(story.told["one"], people=wrong)
    assert story.breaches() == {"what_is_said_of_a_call_is_what_was"}


def test_a_grant_of_which_no_dialer_has_said_anything_is_found() -> None:
    story = ordinary()
    story.unheard.append(
        RecipientQueued(
            account_id="acme",
            at=AT,
            batch_id=UUID(int=1),
            recipient_id=UUID(int=2),
            call_id=UUID(int=3),
            grant_no=1,
            attempt=1,
            epoch=1,
            sealed="-",
            agent_id="steady",
            from_number=story.batch.caller,
            limit=2,
        )
    )
    assert story.breaches() == {"no_grant_is_forgotten"}


def test_what_is_counted_as_under_fault_lies_in_one_or_shortly_after() -> None:
    fault = Fault(after=0, kind=Kind.KILL, part="kafka", seconds=0)
    at = AT - 1.5 * SECOND
    tally = Tally()
    tally.add(ordinary().evidence(), [Struck(fault, at, requests=0, pid=1, until=at)])
    assert (tally.requests, tally.placements, tally.under_fault) == (3, 3, 2)
    assert tally.of_processes == 1
    assert "kill: kafka 1" in tally.story()
