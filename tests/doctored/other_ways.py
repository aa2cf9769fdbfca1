"""Other ways to break the same promises: a check may know the first alone."""

from collections.abc import Callable

from contracts import batches, calls, directory, recipients, status
from contracts.dispatch import RecipientQueued
from contracts.gates import BatchGateClosed
from contracts.ids import addition_id_of, chunk_id_of, command_id_of
from tests.doctored.editing import Events, change, find, of_call, swapped
from tests.log_to_audit import (
    CALLED,
    HOURS,
    at,
    person,
)


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
