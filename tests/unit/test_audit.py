"""A log that keeps every promise is clean; whichever it breaks, it is found out for that one."""

from collections.abc import Callable
from random import Random

import pytest

from audit.findings import REGISTRY
from audit.seals import VaultNow
from contracts import calls, directory
from contracts.outcomes import Outcome
from tests.doctored.editing import Events, change, find, of_call, untouched
from tests.doctored.one_each import IN_A_RECORD, IN_EVENTS, IN_THE_VAULT
from tests.doctored.other_ways import ALSO
from tests.log_to_audit import (
    DELETED,
    at,
    audited,
    breached,
    grant,
    house_log,
    over,
    records_of,
)


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
