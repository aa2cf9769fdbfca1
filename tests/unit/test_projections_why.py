"""Who asks why somebody is not called gets all that is in the way, in words to act on."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batches import RetryPolicy
from contracts.calendar import WEEK, Window
from contracts.eligibility import Code
from contracts.estimate import Span
from contracts.outcomes import Outcome
from contracts.progress import Progress, Stage
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch
from services.projections.domain.slots import Slots
from services.projections.domain.why import Person, before, reasons_for
from services.projections.domain.words import Telling
from services.scheduler.domain.batch import Batch as Decided
from services.scheduler.domain.batch import Status
from services.scheduler.domain.grants import may_grant
from services.scheduler.domain.hours import hours, zones_key
from tests.batch_seen import NOON, OFFICE, PLACING, a_batch
from tests.scheduler_story import Story

TWICE = RetryPolicy(max_attempts=2, delay_seconds=(3600,))
PARIS = Window(start="09:00", end="18:00", days=("mon",), timezone="Europe/Paris")
NOBODY = Person(7, Progress())
BUSY = Progress(1, Stage.ENDED, 1, 1, 1, Outcome.BUSY, NOON)
HOUR = timedelta(hours=1)


def told(batch: Batch, person: Person = NOBODY, now: datetime = NOON, **facts: Any) -> list[str]:
    telling = Telling(batch, person, now, **facts)
    return [telling.message(reason) for reason in reasons_for(batch, person, now)]


def codes(batch: Batch, person: Person = NOBODY, now: datetime = NOON) -> list[str]:
    return [reason.code.value for reason in reasons_for(batch, person, now)]


def test_everything_in_the_way_is_said_and_first_what_does_not_pass_by_itself() -> None:
    batch = a_batch(BatchStatus.PAUSED, window=PARIS, policy=TWICE)
    person = replace(
        NOBODY, progress=replace(BUSY, ended_at=NOON + 6 * HOUR), not_before=NOON + 9 * HOUR,
        same_number=Progress(1, Stage.STARTED, 1, 1, 1),
    )  # fmt: skip
    assert codes(batch, person, NOON + 6 * HOUR) == [
        "batch_paused", "retry_delay", "not_before", "number_busy", "window_closed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "person", "message"),
    [
        (a_batch(BatchStatus.PENDING), NOBODY, "The batch waits for somebody to start it."),
        (
            a_batch(BatchStatus.SCHEDULED, window=PARIS, state={"scheduled_at": NOON + HOUR}),
            NOBODY,
            (
                "The batch has not started: it is scheduled for Monday 4 May 2026 at 15:00"
                " (Europe/Paris)."
            ),
        ),
        (a_batch(BatchStatus.SCHEDULED), NOBODY, "The batch is about to start."),
        (
            a_batch(BatchStatus.PAUSED, turned_at=NOON),
            NOBODY,
            "The batch was paused by anna on Monday 4 May 2026 at 12:00 (UTC); resume it.",
        ),
        (
            a_batch(BatchStatus.CANCELLED),
            NOBODY,
            "The batch was cancelled; retry it to call whoever was not reached.",
        ),
        (
            a_batch(policy=TWICE),
            Person(1, BUSY),
            (
                "The last call ended as busy: attempt 2 of 2 is due on Monday 4 May 2026 at 13:00"
                " (UTC)."
            ),
        ),
        (
            a_batch(),
            Person(1, BUSY),
            (
                "This recipient has been called: attempt 1 ended as busy. Retry the batch to call"
                " again."
            ),
        ),
        (a_batch(), Person(1, Progress(1, Stage.STARTED)), "This recipient is in a call."),
        (
            a_batch(),
            replace(NOBODY, same_number=Progress()),
            "The same number comes earlier in this batch, and is called there first.",
        ),
        (
            a_batch(window=OFFICE.model_copy(update={"timezone": "recipient"})),
            NOBODY,
            (
                "In no hour can all time zones of this number be called: give the window a"
                " fallback_timezone."
            ),
        ),
    ],
)
def test_what_is_in_the_way_is_told_in_words(batch: Batch, person: Person, message: str) -> None:
    assert told(batch, person, paused_by="anna") == [message]


def test_a_closed_window_says_when_it_opens_on_the_clock_it_is_judged_by() -> None:
    assert told(a_batch(window=PARIS), now=NOON + 6 * HOUR) == [
        "The calling window is closed; it opens on Monday 11 May 2026 at 09:00 (Europe/Paris)."
    ]


@pytest.mark.parametrize(
    ("slots", "ahead", "more", "message"),
    [
        (Slots(20, 20, 3), 12, False, ("Waiting for a slot behind 12 others of this batch: all 20"
         " calls of the account are taken, 2 of them by this batch.")),
        (Slots(20, 20, 3), 1, False, ("Waiting for a slot behind 1 other of this batch: all 20"
         " calls of the account are taken, 2 of them by this batch.")),
        (Slots(20, 20, 3), 10_001, True, ("Waiting for a slot behind more than 10,000 others of"
         " this batch: all 20 calls of the account are taken, 2 of them by this batch.")),
        (Slots(20, 18, 3), 0, False, ("The next free slot of the batch is for this recipient: 18"
         " of the account's 20 calls are taken, 2 of them by this batch, and the free ones are"
         " about to be granted.")),
        (Slots(), 0, False, ("The next free slot of the batch is for this recipient: the account's"
         " slots are taken.")),
    ],
)  # fmt: skip
def test_who_waits_for_a_slot_is_told_behind_how_many_and_who_has_them(
    slots: Slots, ahead: int, *, more: bool, message: str
) -> None:
    batch = a_batch(slots=slots, standings={PLACING: 2})
    assert told(batch, ahead=ahead, more=more) == [message]


def test_slots_that_the_batch_leaves_to_others_are_not_waited_for() -> None:
    batch = a_batch(slots=Slots(20, 15, 1))
    spare = replace(batch, created=batch.created.model_copy(update={"reserved_concurrency": 5}))
    (message,) = told(spare)
    assert message.endswith("by this batch, and the batch leaves 5 to others.")


def test_of_those_who_were_called_only_who_may_come_first_is_counted() -> None:
    standings = {"6:1:1:1:busy": 5, "4:1:0:0:": 2, "6:1:2:2:busy": 1, "6:1:1:1:completed": 3}
    batch = a_batch(standings=standings, policy=TWICE, total=99, zones={"": Span()})
    new = before(batch, NOBODY, NOON)
    assert ([each.standing for each in new.called], new.at_any_time) == (["4:1:0:0:"], 7)
    again = before(batch, Person(7, BUSY), NOON + HOUR)
    assert {each.standing: each.delay for each in again.called} == {
        "6:1:1:1:busy": 3600, "4:1:0:0:": 0,
    }  # fmt: skip
    assert (again.turn.due, again.open) == (NOON + HOUR, [""])


ZONES = st.sampled_from([(), ("UTC",), ("Asia/Tokyo",), ("Asia/Tokyo", "America/New_York")])


@given(
    status=st.sampled_from(BatchStatus),
    expires=st.none() | st.integers(-3, 3),
    zone=st.sampled_from(["recipient", "Europe/Paris"]),
    fallback=st.none() | st.just("America/New_York"),
    days=st.sets(st.sampled_from(WEEK), min_size=1),
    zones=ZONES,
    later=st.integers(0, 14 * 24),
)
def test_only_a_slot_is_missing_exactly_where_the_scheduler_would_grant_one(
    status: BatchStatus, expires: int | None, zone: str, fallback: str | None,
    days: set[Any], zones: tuple[str, ...], later: int,
) -> None:  # fmt: skip
    now = NOON + later * HOUR
    expires_at = None if expires is None else now + expires * HOUR
    window = Window(
        start="09:00", end="17:00", days=tuple(days), timezone=zone, fallback_timezone=fallback
    )
    batch = a_batch(status, window=window, state={"expires_at": expires_at})
    decided = Decided(Story().created(window=window), Status(status=status, expires_at=expires_at))
    granted = may_grant(decided, now) and hours(window, zones_key(window, zones), now).open
    only_a_slot = codes(batch, replace(NOBODY, zones=zones), now) == [Code.NO_FREE_SLOT]
    assert only_a_slot == granted
