"""A log that keeps every promise is clean; whichever it breaks, it is found out for that one."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import TypeVar

import pytest

from audit.findings import REGISTRY
from audit.record import Record
from audit.seals import VaultNow
from contracts import batches, calls, directory, recipients, status
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.ids import addition_id_of, call_id_of, chunk_id_of, command_id_of, derive
from contracts.outcomes import Outcome
from contracts.sealed import Seal
from contracts.statuses import BatchStatus
from tests.log_to_audit import (
    CALLED,
    CLOSES,
    DELETED,
    HOURS,
    at,
    audited,
    breached,
    grant,
    house_log,
    over,
    person,
    records_of,
)

E = TypeVar("E", bound=Event)
Events = list[Event]
LATER = timedelta(seconds=1)


def find(log: Events, kind: type[E], **facts: object) -> int:
    """The place of the one event that says this."""
    (place,) = [
        place
        for place, event in enumerate(log)
        if type(event) is kind and all(getattr(event, n) == fact for n, fact in facts.items())
    ]
    return place


def change(log: Events, kind: type[E], which: dict[str, object], **facts: object) -> None:
    place = find(log, kind, **which)
    log[place] = log[place].model_copy(update=facts)


def of_call(row: int, number: int = 1) -> dict[str, object]:
    return {"recipient_id": person(row), "grant_no": number}


def untouched(log: Events) -> None:
    """As it should be."""


def a_command_is_lost(log: Events) -> None:
    del log[find(log, batches.BatchRenamed, command_no=6)]


def a_status_is_lost(log: Events) -> None:
    change(log, status.BatchCompleted, {"sequence": 9}, sequence=10)


def a_grant_is_passed_over(log: Events) -> None:
    call_id = call_id_of(CALLED, person(2), 4)
    for place, event in enumerate(log):
        if isinstance(event, RecipientQueued | calls.CallEvent) and (
            event.recipient_id == person(2) and event.grant_no == 3
        ):
            facts = {"grant_no": 4, "call_id": call_id}
            if isinstance(event, calls.CallStarted | calls.CallCompleted):
                facts["carrier_call_id"] = "another"
            log[place] = event.model_copy(update=facts)


def a_version_is_lost(log: Events) -> None:
    change(log, directory.AgentRegistered, {}, version=2)


def a_call_starts_again(log: Events) -> None:
    log.append(log[find(log, calls.CallStarted, **of_call(1))].model_copy(update={"at": at(9)}))


def a_seal_is_of_another_key(log: Events) -> None:
    seal = Seal(bytes([1]) * 32, "account:default")
    change(log, directory.AgentRegistered, {}, webhook=seal.close("https://example.com"))


def nothing_announces_a_call(log: Events) -> None:
    del log[find(log, calls.CallPlacing, **of_call(2, 3))]


def two_calls_of_the_carrier(log: Events) -> None:
    change(log, calls.CallCompleted, of_call(1), carrier_call_id="another")


def late_without_a_first_ending(log: Events) -> None:
    change(log, calls.CallCompleted, of_call(1), late=True)


def told_otherwise_than_granted(log: Events) -> None:
    change(log, calls.CallStarted, of_call(1), attempt=2)


def granted_during_a_call(log: Events) -> None:
    change(log, RecipientQueued, of_call(3, 2), at=at(41.5))


def called_again_too_early(log: Events) -> None:
    change(log, RecipientQueued, of_call(2, 2), at=at(79))


def granted_while_paused(log: Events) -> None:
    change(log, RecipientQueued, of_call(3), at=at(39))


def somebody_is_forgotten(log: Events) -> None:
    kinds = RecipientQueued | calls.CallEvent
    log[:] = [e for e in log if not (isinstance(e, kinds) and e.recipient_id == person(3))]


def called_after_removal(log: Events) -> None:
    (queued,) = grant(5, 1, 41, epoch=2)
    never_asked = over(queued, 43, Outcome.SUPPRESSED).model_copy(
        update={"requested_at": None, "carrier_call_id": None}
    )
    log += [queued, never_asked]


def placed_after_the_gate(log: Events) -> None:
    change(log, calls.CallPlacing, of_call(1), at=at(7))


def closed_during_a_request(log: Events) -> None:
    change(log, calls.CallStarted, of_call(1), at=at(8))


def somebody_did_not_land(log: Events) -> None:
    place = find(log, batches.BatchCreated, batch_id=CALLED)
    created = log[place]
    assert isinstance(created, batches.BatchCreated)
    addition = created.addition.model_copy(update={"recipients": 6})
    log[place] = created.model_copy(update={"addition": addition})


def a_row_is_given_twice(log: Events) -> None:
    place = find(log, recipients.RecipientsAdded, chunk_no=1)
    chunk = log[place]
    assert isinstance(chunk, recipients.RecipientsAdded)
    first = log[find(log, recipients.RecipientsAdded, chunk_no=0)]
    assert isinstance(first, recipients.RecipientsAdded)
    log[place] = chunk.model_copy(update={"recipients": first.recipients[:1] + chunk.recipients})


def a_chunk_is_of_no_list(log: Events) -> None:
    addition_id = addition_id_of(CALLED, 2)
    place = find(log, recipients.RecipientsRejected)
    facts = {"addition_id": addition_id, "chunk_id": chunk_id_of(addition_id, "rejected", 0)}
    log.append(log[place].model_copy(update=facts))


def it_started_before_all_had_landed(log: Events) -> None:
    del log[find(log, recipients.RecipientsRejected)]
    log[:] = [e for e in log if not isinstance(e, recipients.RecipientsAdded) or e.chunk_no == 0]


def a_call_goes_on_after_the_end(log: Events) -> None:
    change(log, calls.CallCompleted, of_call(2, 3), at=at(312))


def given_back_and_rung(log: Events) -> None:
    place = find(log, calls.CallStarted, **of_call(1))
    facts = log[place].model_dump(include=set(calls.CallEvent.model_fields)) | {"at": at(9)}
    log.append(calls.CallReturned(**facts, reason=calls.ReturnReason.NUMBER_BUSY))


def placed_too_late(log: Events) -> None:
    change(log, RecipientQueued, of_call(1), place_before=at(4.05))


def granted_outside_the_window(log: Events) -> None:
    window = HOURS.model_copy(update={"start": "00:00", "end": "08:00"})
    change(log, batches.BatchCreated, {"batch_id": CALLED}, window=window)


def recorded_after_the_deletion(log: Events) -> None:
    gate = log[find(log, BatchGateClosed, for_good=False)]
    log[log.index(gate)] = gate.model_copy(update={"for_good": True})


def asked_of_a_deleted_batch(log: Events) -> None:
    place = find(log, batches.BatchRenamed, command_no=6)
    renamed = log[place]
    assert isinstance(renamed, batches.BatchRenamed)
    facts = renamed.model_dump(include=set(batches.BatchCommand.model_fields))
    log[place] = batches.BatchDeleted(**facts)


def two_verdicts_on_one_command(log: Events) -> None:
    place = find(log, status.BatchCompleted, sequence=9)
    facts = log[place].model_dump(include=set(status.BatchStatusEvent.model_fields))
    facts |= {"sequence": 10, "command_id": command_id_of(CALLED, 5)}
    log.append(status.BatchActionRejected(**facts, action="retry"))


def miscounted_attempts(log: Events) -> None:
    for place, event in enumerate(log):
        if isinstance(event, RecipientQueued | calls.CallEvent) and (
            event.recipient_id == person(2) and event.grant_no == 3
        ):
            log[place] = event.model_copy(update={"attempt": 2})


def a_verdict_on_nothing(log: Events) -> None:
    change(log, status.RecipientRemoved, {}, command_id=derive("command", "nobody's"))


def paused_and_running(log: Events) -> None:
    change(log, status.BatchPaused, {}, status=BatchStatus.RUNNING)


def granted_past_the_window(log: Events) -> None:
    change(log, RecipientQueued, of_call(1), place_before=CLOSES + LATER)


def one_number_twice_at_once(log: Events) -> None:
    change(log, calls.CallCompleted, of_call(1), at=at(45))


def too_many_at_once(log: Events) -> None:
    change(log, directory.AccountConfigured, {}, concurrency=1)
    for place, event in enumerate(log):
        if isinstance(event, RecipientQueued):
            log[place] = event.model_copy(update={"limit": 1})


def a_limit_of_nobody(log: Events) -> None:
    change(log, directory.AccountConfigured, {}, concurrency=5)


def others_slots_are_taken(log: Events) -> None:
    change(log, batches.BatchCreated, {"batch_id": CALLED}, reserved_concurrency=3)


def swapped(log: Events, one: int, other: int) -> None:
    log[one], log[other] = log[other], log[one]


def a_command_overtakes_another(log: Events) -> None:
    named = [find(log, batches.BatchRenamed, command_no=number) for number in (6, 7)]
    swapped(log, *named)


def a_call_ends_before_it_begins(log: Events) -> None:
    swapped(
        log, *(find(log, kind, **of_call(1)) for kind in (calls.CallStarted, calls.CallCompleted))
    )


def a_batch_starts_before_it_is_scheduled(log: Events) -> None:
    swapped(
        log,
        *(
            find(log, status.BatchScheduled, batch_id=CALLED),
            find(log, status.BatchStarted, sequence=2),
        ),
    )


def a_grant_overtakes_another(log: Events) -> None:
    swapped(log, *(find(log, RecipientQueued, **of_call(2, number)) for number in (1, 2)))


def an_older_version_comes_last(log: Events) -> None:
    place = find(log, directory.AccountConfigured)
    log.insert(place, log[place].model_copy(update={"version": 2}))


def an_older_gate_comes_last(log: Events) -> None:
    gate = log[find(log, BatchGateClosed, for_good=False)]
    log.append(gate.model_copy(update={"through_epoch": 0}))


def what_was_refused_never_came(log: Events) -> None:
    del log[find(log, recipients.RecipientsRejected)]


IN_EVENTS: dict[str, Callable[[Events], None]] = {
    "commands": a_command_is_lost,
    "sequence": a_status_is_lost,
    "grants": a_grant_is_passed_over,
    "versions": a_version_is_lost,
    "order": a_command_overtakes_another,
    "repeats": a_call_starts_again,
    "seals": a_seal_is_of_another_key,
    "announced": nothing_announces_a_call,
    "one-start": two_calls_of_the_carrier,
    "one-end": late_without_a_first_ending,
    "granted": told_otherwise_than_granted,
    "one-call": granted_during_a_call,
    "attempts": called_again_too_early,
    "running": granted_while_paused,
    "final": somebody_is_forgotten,
    "removed": called_after_removal,
    "gate": placed_after_the_gate,
    "drained": closed_during_a_request,
    "landed": somebody_did_not_land,
    "verdicts": a_verdict_on_nothing,
    "transitions": paused_and_running,
    "hours": granted_past_the_window,
    "one-number": one_number_twice_at_once,
    "slots": too_many_at_once,
    "limit": a_limit_of_nobody,
    "reserved": others_slots_are_taken,
}


def a_call_of_another_account(log: Events) -> None:
    change(log, calls.CallStarted, of_call(1), account_id="another")


ALSO: list[tuple[Callable[[Events], None], set[str]]] = [
    (a_row_is_given_twice, {"landed"}),
    (a_chunk_is_of_no_list, {"landed"}),
    (it_started_before_all_had_landed, {"landed", "granted"}),
    (a_call_goes_on_after_the_end, {"final"}),
    (given_back_and_rung, {"one-end", "one-start"}),
    (placed_too_late, {"hours"}),
    (granted_outside_the_window, {"hours"}),
    (recorded_after_the_deletion, {"gate"}),
    (asked_of_a_deleted_batch, {"commands"}),
    (two_verdicts_on_one_command, {"verdicts"}),
    (miscounted_attempts, {"attempts"}),
    (a_call_of_another_account, {"ids"}),
    (a_call_ends_before_it_begins, {"order"}),
    (a_batch_starts_before_it_is_scheduled, {"order"}),
    (a_grant_overtakes_another, {"order"}),
    (an_older_version_comes_last, {"order"}),
    (an_older_gate_comes_last, {"order"}),
    (what_was_refused_never_came, {"landed"}),
]
"""Other ways to break the same promises, and what is found out."""


def headed(record: Record, name: str, value: bytes) -> Record:
    return record._replace(headers=[*dict(record.headers, **{name: value}).items()])


IN_A_RECORD: dict[str, Callable[[Record], Record]] = {
    "readable": lambda record: record._replace(value=b"{}"),
    "writer": lambda record: headed(record, "ce_source", b"/rollcall/dialer"),
    "keyed": lambda record: record._replace(partition=(record.partition + 1) % 3, offset=99),
    "ids": lambda record: headed(record, "ce_id", str(derive("event", "another")).encode()),
}
IN_THE_VAULT = {"keys": VaultNow(keyed=frozenset({DELETED}))}


def test_a_log_that_keeps_every_promise_is_clean_and_every_check_has_looked() -> None:
    findings = audited(records_of(house_log()))
    assert findings.breaches == []
    assert [check.name for check, tally in findings.tallies.items() if not tally.examined] == []


def test_every_check_has_a_doctored_log() -> None:
    names = {check.name for check in REGISTRY}
    assert names == {*IN_EVENTS, *IN_A_RECORD, *IN_THE_VAULT}
    assert len(names) == len(REGISTRY)


@pytest.mark.parametrize("name", IN_EVENTS)
def test_a_broken_promise_is_found_out(name: str) -> None:
    log = house_log()
    IN_EVENTS[name](log)
    findings = audited(records_of(log))
    assert breached(findings) == {name}, findings.breaches
    assert all(breach.events for breach in findings.breaches)


@pytest.mark.parametrize(("doctor", "names"), ALSO, ids=lambda it: getattr(it, "__name__", ""))
def test_whichever_way_it_is_broken(doctor: Callable[[Events], None], names: set[str]) -> None:
    log = house_log()
    doctor(log)
    found = breached(audited(records_of(log)))
    assert names <= found
    assert len(found) <= len(names) + 1  # what follows from it


@pytest.mark.parametrize("name", IN_A_RECORD)
def test_a_record_that_is_not_what_it_should_be_is_found_out(name: str) -> None:
    records = records_of(house_log())
    place = find(house_log(), directory.AgentRegistered)
    records[place] = IN_A_RECORD[name](records[place])
    assert breached(audited(records)) == {name}


@pytest.mark.parametrize("name", IN_THE_VAULT)
def test_a_key_that_outlives_its_batch_is_found_out(name: str) -> None:
    assert breached(audited(records_of(house_log()), vault=IN_THE_VAULT[name])) == {name}


@pytest.mark.parametrize("name", ["", *IN_EVENTS])
def test_the_order_in_which_topics_are_read_changes_nothing(name: str) -> None:
    log = house_log()
    IN_EVENTS.get(name, untouched)(log)
    records = records_of(log)
    found = sorted(map(str, audited(records).breaches))
    random = Random(name)
    partitions = list({(record.topic.name, record.partition) for record in records})
    for _ in range(3):
        random.shuffle(partitions)
        place = {partition: number for number, partition in enumerate(partitions)}
        read = sorted(records, key=lambda r: (place[r.topic.name, r.partition], r.offset))
        assert sorted(map(str, audited(read).breaches)) == found


def test_what_was_published_twice_is_counted_and_is_no_breach() -> None:
    log = house_log()
    findings = audited(records_of([*log, *log]))
    assert findings.breaches == []
    assert findings.repeated == len(log)


def test_the_log_of_a_running_house_is_clean_at_every_instant() -> None:
    log = house_log()
    deleted_since = VaultNow(deleted_since=frozenset({DELETED}))
    for now in sorted({event.at for event in log}):
        so_far = [event for event in log if event.at <= now]
        findings = audited(records_of(so_far), cut=now, vault=deleted_since)
        assert findings.breaches == [], now


def test_the_truth_about_an_unknown_call_may_come_after_the_next_one() -> None:
    log = house_log()
    late = log.pop(find(log, calls.CallCompleted, **of_call(4), late=True))
    (again,) = grant(4, 2, 301, epoch=4, attempt=2)
    never_asked = over(again, 305, Outcome.SUPPRESSED)
    log += [again, never_asked.model_copy(update={"requested_at": None, "carrier_call_id": None})]
    log.append(late)
    assert "order" not in breached(audited(records_of(log)))


def test_what_was_given_back_may_be_announced_after_it_as_nothing_was_asked() -> None:
    log = house_log()
    returned = log[find(log, calls.CallReturned)]
    assert isinstance(returned, calls.CallReturned)
    facts = returned.model_dump(include=set(calls.CallEvent.model_fields))
    facts |= {"requested_at": at(41.5), "at": at(41.6)}
    log.append(calls.CallPlacing(**facts, carrier="simulator", send_before=at(43)))
    assert breached(audited(records_of(log))) == set()
    change(log, calls.CallReturned, {}, requested_at=at(41.5))
    assert "order" in breached(audited(records_of(log)))


def test_no_finding_holds_what_is_personal() -> None:
    for doctor in IN_EVENTS.values():
        log = house_log()
        doctor(log)
        for breach in audited(records_of(log)).breaches:
            assert "+33" not in str(breach)
