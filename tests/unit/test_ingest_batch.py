"""A batch is agreed to only if it can run, and every fault is said at once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.batches import Addition
from contracts.calendar import Window
from contracts.directory import AccountConfigured, AgentRegistered, PhoneNumberRegistered
from contracts.ids import addition_id_of
from contracts.outcomes import Outcome
from services.ingest.domain.batch import Directory, RefusedError, Terms, agree, created
from services.ingest.domain.directory import (
    account_key,
    agent_disabled,
    agent_key,
    changed,
    number_disabled,
    number_key,
)
from services.ingest.domain.requests import BatchRequest
from services.ingest.reading.policy import ANYONE

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BATCH = UUID(int=1)
WINDOW = Window(start="09:00", end="18:00", days=("mon",), timezone="Europe/Paris")
SAID: dict[str, Any] = {"account_id": "default", "at": NOW, "version": 1, "actor": "api"}
ACCOUNT = AccountConfigured(**SAID, concurrency=10)
AGENT = AgentRegistered(
    **SAID, agent_id="a1", name="Ann", phone_number="+442079460000", active=True
)
NUMBER = PhoneNumberRegistered(**SAID, phone_number="+442079460000", outbound=True)
SILENT = PhoneNumberRegistered(**SAID, phone_number="+442079460001", outbound=False)


def directory(**changes: Any) -> Directory:
    numbers = {number.phone_number: number for number in (NUMBER, SILENT)}
    known: dict[str, Any] = {"account": ACCOUNT, "agent": AGENT, "numbers": numbers}
    return Directory(**known | changes)


def request(**changes: Any) -> BatchRequest:
    given: dict[str, Any] = {"name": "Reminders", "agent_id": "a1", "window": WINDOW}
    return BatchRequest.model_validate(given | changes)


def agreed(*, known: Directory | None = None, **changes: Any) -> Terms:
    return agree(request(**changes), known or directory(), ANYONE, batch_id=BATCH, at=NOW)


def faults(*, known: Directory | None = None, **changes: Any) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        agreed(known=known, **changes)
    return [error.code for error in refused.value.errors]


def test_a_batch_calls_from_its_agents_number_unless_it_names_another() -> None:
    other = PhoneNumberRegistered(**SAID, phone_number="+442079460009", outbound=True)
    known = directory(numbers={n.phone_number: n for n in (NUMBER, other)})
    assert agreed(known=known).from_number == "+442079460000"
    assert agreed(known=known, from_number=other.phone_number).from_number == other.phone_number


def test_a_blank_number_is_not_the_agents() -> None:
    assert faults(from_number="") == ["from_number_not_found"]


def test_a_row_may_call_from_any_number_that_may_place_calls() -> None:
    assert directory().caller_ids == {"+442079460000"}


def test_the_accounts_window_serves_a_batch_without_one() -> None:
    account = AccountConfigured(**SAID, concurrency=10, default_window=WINDOW)
    assert agreed(known=directory(account=account), window=None).window == WINDOW
    assert faults(window=None) == ["window_required"]


def test_every_fault_is_said_at_once() -> None:
    said = faults(
        known=directory(agent=None, has_list=False),
        from_number="+442079460001",
        window=None,
        scheduled_at="2026-11-21T11:59:59Z",
        reserved_concurrency=10,
        recipient_list_id=UUID(int=9),
    )
    assert said == [
        "agent_not_found",
        "from_number_not_outbound",
        "window_required",
        "scheduled_at_in_past",
        "field_invalid",
        "list_not_found",
    ]


def test_what_was_disabled_cannot_be_named() -> None:
    gone = number_disabled(NUMBER, actor="api", at=NOW)
    asleep = agent_disabled(AGENT, actor="api", at=NOW)
    known = directory(agent=asleep, numbers={gone.phone_number: gone})
    assert faults(known=known) == ["agent_inactive", "from_number_not_found"]


def test_an_agent_without_a_number_needs_one_named() -> None:
    agent = AGENT.model_copy(update={"phone_number": None})
    assert faults(known=directory(agent=agent)) == ["from_number_not_found"]


@pytest.mark.parametrize(
    ("ahead", "fault"),
    [
        (timedelta(0), None),
        (timedelta(days=30), None),
        (timedelta(days=30, seconds=1), "scheduled_at_too_far"),
        (timedelta(seconds=-1), "scheduled_at_in_past"),
    ],
)
def test_a_batch_starts_between_now_and_thirty_days_on(ahead: timedelta, fault: str | None) -> None:
    at = (NOW + ahead).isoformat()
    assert (faults(scheduled_at=at) if fault else agreed(scheduled_at=at)) is not None
    if fault:
        assert faults(scheduled_at=at) == [fault]


def test_a_batch_ends_later_than_it_starts() -> None:
    start = (NOW + timedelta(hours=2)).isoformat()
    assert faults(scheduled_at=start, expires_at=start) == ["field_invalid"]
    assert agreed(expires_at=(NOW + timedelta(seconds=1)).isoformat())


def test_what_was_agreed_is_what_the_log_is_told() -> None:
    terms = agreed(retry_policy={"max_attempts": 3, "on": (Outcome.BUSY,)}, start=False)
    addition = Addition(addition_id=addition_id_of(BATCH, 1), chunks=1, recipients=2)
    event = created(terms, addition, sealed_name="sealed", actor="api", at=NOW)
    assert (event.command_no, event.name, event.start) == (1, "sealed", False)
    assert (event.window, event.retry_policy.max_attempts) == (WINDOW, 3)
    assert "Reminders" not in event.model_dump_json()


def test_an_entry_takes_the_next_version_only_when_it_changes() -> None:
    renamed = AGENT.model_copy(update={"name": "Bea", "at": NOW + timedelta(days=1)})
    first = changed(None, AGENT)
    assert first is not None
    assert first.version == 1
    assert changed(first, AGENT.model_copy(update={"at": renamed.at, "actor": "else"})) is None
    second = changed(first, renamed)
    assert second is not None
    assert (second.version, second.name) == (2, "Bea")
    third = changed(second, agent_disabled(second, actor="api", at=NOW))
    assert third is not None
    assert changed(third, agent_disabled(third, actor="api", at=NOW)) is None
    back = changed(third, renamed)
    assert back is not None
    assert back.version == 4


def test_an_entry_is_looked_up_under_its_key_in_the_log() -> None:
    assert account_key("default") == ACCOUNT.key
    assert agent_key("default", "a1") == AGENT.key
    assert number_key("default", "+442079460000") == NUMBER.key
