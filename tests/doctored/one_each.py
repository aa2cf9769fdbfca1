"""Each promise of the log, broken in one way: a check that misses its own proves nothing."""

from collections.abc import Callable

from audit.record import Record
from audit.seals import VaultNow
from contracts import batches, calls, directory, status
from contracts.dispatch import RecipientQueued
from contracts.ids import call_id_of, derive
from contracts.outcomes import Outcome
from contracts.sealed import Seal
from contracts.statuses import BatchStatus
from tests.doctored.editing import LATER, Events, change, find, of_call, swapped
from tests.log_to_audit import (
    CALLED,
    CLOSES,
    DELETED,
    at,
    grant,
    over,
    person,
)


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


def a_command_overtakes_another(log: Events) -> None:
    named = [find(log, batches.BatchRenamed, command_no=number) for number in (6, 7)]
    swapped(log, *named)


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


def headed(record: Record, name: str, value: bytes) -> Record:
    return record._replace(headers=[*dict(record.headers, **{name: value}).items()])


IN_A_RECORD: dict[str, Callable[[Record], Record]] = {
    "readable": lambda record: record._replace(value=b"{}"),
    "writer": lambda record: headed(record, "ce_source", b"/rollcall/dialer"),
    "keyed": lambda record: record._replace(partition=(record.partition + 1) % 3, offset=99),
    "ids": lambda record: headed(record, "ce_id", str(derive("event", "another")).encode()),
}
IN_THE_VAULT = {"keys": VaultNow(keyed=frozenset({DELETED}))}
