"""The verdict: each check is one promise, judged by the ledger wherever the ledger can know.

What is said of a person is compared with what the network saw; nothing here asks our tables.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.calendar import is_open
from contracts.calls import CallPlacing
from contracts.dispatch import RecipientQueued
from tests.faults.trial.known import Known, Limits
from tests.faults.verdict import LATE, STATUS, endings
from tests.house import Json
from tests.ledger import Ledger

RETURNED = {401, 403, 429}
"""Answers to a request that is not counted as an attempt: it may be made anew."""
AGAIN = {"no_answer", "busy"}
"""How a call must have ended for another to follow by itself."""
CLOCK = timedelta(milliseconds=50)
"""Between two clocks of one machine."""
FINAL = {"COMPLETED", "FAILED", "NO_ANSWER"}


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was broken, and of whom it was."""

    check: str
    what: str
    batch_id: str = ""
    to: str = ""
    recipient_id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is read of a batch that is over."""

    batch: Json
    people: Sequence[Json]


@dataclass(slots=True)
class Evidence:
    """All that is judged after a round."""

    ledger: Ledger
    batches: Sequence[Known]
    limits: Mapping[str, Limits]
    announced: Mapping[UUID, CallPlacing]
    told: Mapping[str, Told] = field(default_factory=dict)
    """By batch."""
    unheard: Collection[RecipientQueued] = ()
    """Grants of which no dialer has said anything."""

    _by_caller: dict[str, Known] = field(init=False)

    def __post_init__(self) -> None:
        self._by_caller = {batch.caller: batch for batch in self.batches}

    def of(self, entry: Json) -> Known | None:
        return self._by_caller.get(entry["from"])


Check = Callable[[Evidence], Iterator[Breach]]


def breach(check: Check, what: str, entry: Json, batch: Known | None) -> Breach:
    batch_id = batch.batch_id if batch else ""
    return Breach(check.__name__, what, batch_id, entry["to"])


def at_most_one_request_reaches_the_carrier_per_call(seen: Evidence) -> Iterator[Breach]:
    first: dict[str, Json] = {}
    for entry in seen.ledger.of("request"):
        if first.setdefault(entry["call_id"], entry) is not entry:
            what = f"call {entry['call_id']} asked for again at {entry['at']}"
            me = at_most_one_request_reaches_the_carrier_per_call
            yield breach(me, what, entry, seen.of(entry))


def nobody_is_called_more_often_than_asked(seen: Evidence) -> Iterator[Breach]:
    asked: Counter[tuple[str, str]] = Counter()
    for entry in seen.ledger.of("request"):
        batch = seen.of(entry)
        asked[entry["from"], entry["to"]] += entry["status"] not in RETURNED
        times = asked[entry["from"], entry["to"]]
        if batch is None or times > batch.most_calls(entry["to"]):
            what = f"the {times}th time, at {entry['at']}"
            yield breach(nobody_is_called_more_often_than_asked, what, entry, batch)


def nobody_is_called_again_without_a_reason(seen: Evidence) -> Iterator[Breach]:
    """As long as no person has asked for it: only who was busy, or did not answer."""
    ended, last = endings(seen.ledger), dict[tuple[str, str], Json]()
    for entry, batch in _requests(seen):
        if batch.runs > 1 or batch.rows[entry["to"]] > 1 or entry["status"] in RETURNED:
            continue
        before = last.get((batch.caller, entry["to"]))
        last[batch.caller, entry["to"]] = entry
        if before is not None and ended.get(before["call_id"]) not in AGAIN:
            how = ended.get(before["call_id"], "unknown")
            what = f"at {entry['at']}, after a call at {before['at']} that ended {how}"
            yield breach(nobody_is_called_again_without_a_reason, what, entry, batch)


def nobody_is_in_two_calls_at_once(seen: Evidence) -> Iterator[Breach]:
    """Of one account."""
    live: dict[tuple[str, str], str] = {}
    for entry in seen.ledger.entries:
        batch = seen.of(entry)
        person = (batch.account if batch else "", entry["to"])
        if entry["kind"] == "request" and entry["accepted"]:
            if person in live:
                what = f"calls {live[person]} and {entry['call_id']} from {entry['at']}"
                yield breach(nobody_is_in_two_calls_at_once, what, entry, batch)
            live[person] = entry["call_id"]
        elif entry["kind"] == "end" and live.get(person) == entry["call_id"]:
            del live[person]


def never_more_at_a_time_than_the_account_may(seen: Evidence) -> Iterator[Breach]:
    live: dict[str, set[str]] = defaultdict(set)
    for entry in seen.ledger.entries:
        batch = seen.of(entry)
        if batch is None:
            continue
        calls = live[batch.account]
        if entry["kind"] == "end":
            calls.discard(entry["call_id"])
        elif entry["kind"] == "request" and entry["accepted"]:
            calls.add(entry["call_id"])
            most = seen.limits[batch.account].most(_at(entry) + CLOCK)
            if len(calls) > most:
                what = f"{len(calls)} calls of {batch.account}, which may have {most}"
                yield breach(never_more_at_a_time_than_the_account_may, what, entry, batch)


def nothing_rings_after_the_answer_that_all_is_quiet(seen: Evidence) -> Iterator[Breach]:
    for entry, batch in _requests(seen):
        for start, end in batch.quiet:
            if start < _at(entry) and (end is None or _at(entry) < end):
                what = f"rung at {entry['at']}; told quiet from {start} to {end}"
                yield breach(nothing_rings_after_the_answer_that_all_is_quiet, what, entry, batch)


def nothing_rings_at_the_wrong_time(seen: Evidence) -> Iterator[Breach]:
    """Outside the hours, before a person's own time, or before the batch's."""
    for entry, batch in _requests(seen):
        at = _at(entry)
        times = [batch.wish.scheduled_at, batch.wish.not_before.get(entry["to"])]
        early = any(time is not None and at + CLOCK < time for time in times)
        zones = (batch.wish.window.timezone,)
        inside = any(is_open(batch.wish.window, zones, it) for it in (at, at - LATE, at + CLOCK))
        if early or not inside:
            what = f"rung at {at}; not before {times}, hours {batch.wish.window}"
            yield breach(nothing_rings_at_the_wrong_time, what, entry, batch)


def nothing_rings_unannounced_or_late(seen: Evidence) -> Iterator[Breach]:
    for entry in seen.ledger.of("request"):
        placing = seen.announced.get(UUID(entry["call_id"]))
        if placing is None:
            what = f"rung at {entry['at']}, and the log knows nothing of it"
        elif _at(entry) >= placing.send_before + LATE:
            what = f"rung at {entry['at']}; it was to leave before {placing.send_before}"
        else:
            continue
        yield breach(nothing_rings_unannounced_or_late, what, entry, seen.of(entry))


def no_grant_is_forgotten(seen: Evidence) -> Iterator[Breach]:
    """It is announced, given back or refused; not merely late, once everything is quiet."""
    for grant in seen.unheard:
        what = f"granted at {grant.at}, and no dialer has said what became of it"
        of = str(grant.batch_id), "", str(grant.recipient_id)
        yield Breach(no_grant_is_forgotten.__name__, what, *of)


def everyone_of_a_batch_that_is_over_is_accounted_for(seen: Evidence) -> Iterator[Breach]:
    me = everyone_of_a_batch_that_is_over_is_accounted_for.__name__
    for known in seen.batches:
        told = seen.told.get(known.batch_id)
        if told is None:
            continue  # deleted: nobody can be told of it any more
        counts = told.batch["recipients"]
        if not known.fewest <= len(told.people) <= known.rows.total():
            what = f"{len(told.people)} of {known.fewest} to {known.rows.total()} on the list"
            yield Breach(me, what, known.batch_id)
        if counts["queued"] or counts["in_progress"] or counts["total"] != len(told.people):
            yield Breach(me, f"counted as {counts}", known.batch_id)
        if told.batch["status"] == "COMPLETED":
            for person in told.people:
                if person["status"] not in FINAL:
                    what = f"row {person['row']} is {person['status']}"
                    yield Breach(me, what, known.batch_id, person["phone_number"])


def what_is_said_of_a_call_is_what_was(seen: Evidence) -> Iterator[Breach]:
    """`unknown` only where the carrier never took the call: whatever it took can be looked up."""
    ended = endings(seen.ledger)
    for batch_id, told in seen.told.items():
        for person in told.people:
            if person["status"] not in FINAL:
                continue
            truth = ended.get(person["call_id"], "unknown")
            status = STATUS.get(person["outcome"], "FAILED")
            if (person["outcome"], person["status"]) != (truth, status):
                what = f"said to be {person['status']}, {person['outcome']}; it was {truth}"
                me = what_is_said_of_a_call_is_what_was.__name__
                yield Breach(me, what, batch_id, person["phone_number"])


CHECKS: tuple[Check, ...] = (
    at_most_one_request_reaches_the_carrier_per_call,
    nobody_is_called_more_often_than_asked,
    nobody_is_called_again_without_a_reason,
    nobody_is_in_two_calls_at_once,
    never_more_at_a_time_than_the_account_may,
    nothing_rings_after_the_answer_that_all_is_quiet,
    nothing_rings_at_the_wrong_time,
    nothing_rings_unannounced_or_late,
    no_grant_is_forgotten,
    everyone_of_a_batch_that_is_over_is_accounted_for,
    what_is_said_of_a_call_is_what_was,
)


def judged(seen: Evidence) -> list[Breach]:
    return [found for check in CHECKS for found in check(seen)]


def _requests(seen: Evidence) -> Iterator[tuple[Json, Known]]:
    for entry in seen.ledger.of("request"):
        batch = seen.of(entry)
        if batch is not None:
            yield entry, batch


def _at(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["at"])
