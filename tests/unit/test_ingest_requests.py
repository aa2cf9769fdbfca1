"""What nobody could store, publish or call stops at the door, by its field and with a code."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.outcomes import Outcome
from services.ingest.domain.fields import RETRYABLE
from services.ingest.domain.requests import (
    AccountRequest,
    AgentRequest,
    BatchRequest,
    RecipientRequest,
    Request,
)


def refused(model: type[Any], body: dict[str, Any]) -> list[tuple[Any, str]]:
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(body)
    return [(error["loc"][-1], error["type"]) for error in refusal.value.errors()]


def batch(**changes: Any) -> dict[str, Any]:
    return {"name": "Reminders", "agent_id": "a1"} | changes


@pytest.mark.parametrize("field", ["scheduled_at", "expires_at"])
@pytest.mark.parametrize(
    "instant",
    ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"],
)
def test_an_instant_at_the_edge_of_the_calendar_is_refused(field: str, instant: str) -> None:
    assert refused(BatchRequest, batch(**{field: instant})) == [(field, "field_invalid")]


def test_an_instant_of_any_zone_is_kept_in_utc() -> None:
    request = BatchRequest.model_validate(batch(expires_at="2026-11-21T01:30:00+02:00"))
    assert request.expires_at is not None
    assert request.expires_at.isoformat() == "2026-11-20T23:30:00+00:00"


FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
"""One character to people, five code points."""


@pytest.mark.parametrize("name", ["é", "e\u0301" * 100, FAMILY * 100, "🇫🇷" * 100, "字" * 100])
def test_a_name_is_counted_as_people_count(name: str) -> None:
    assert BatchRequest.model_validate(batch(name=name)).name == name


@pytest.mark.parametrize(
    "name", ["", " \t", "x" * 101, FAMILY * 101, "e\u0301" * 101, "x" + "\u0301" * 1_000]
)
def test_a_name_of_no_or_too_many_characters_is_refused(name: str) -> None:
    assert refused(BatchRequest, batch(name=name)) == [("name", "name_length")]


WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TOO_LONG: list[tuple[type[Request], dict[str, Any], str]] = [
    (BatchRequest, batch(retry_policy={"delay_seconds": (60,) * 11}), "delay_seconds"),
    (BatchRequest, batch(retry_policy={"on": (Outcome.BUSY,) * 7}), "on"),
    (AccountRequest, {"allowed_regions": ["FR"] * 400}, "allowed_regions"),
    (AgentRequest, {"name": "Ann", "webhook_url": f"https://a.b/{'x' * 2000}"}, "webhook_url"),
    (RecipientRequest, {"variables": {f"v{n}": "" for n in range(1_001)}}, "variables"),
]


@pytest.mark.parametrize(("model", "body", "field"), TOO_LONG)
def test_a_list_or_a_text_longer_than_it_can_mean_is_refused(
    model: type[Request], body: dict[str, Any], field: str
) -> None:
    assert refused(model, body) in ([(field, "too_long")], [(field, "string_too_long")])


def test_a_window_names_each_day_once_however_often_it_is_sent() -> None:
    window = {"start": "09:00", "end": "18:00", "days": WEEK * 1_000, "timezone": "UTC"}
    assert refused(BatchRequest, batch(window=window)) == [("days", "window_invalid")]


def test_every_list_and_text_of_the_largest_request_fits_a_record() -> None:
    largest = batch(
        name="\U0001f642" * 100,
        agent_id="a" * 100,
        window={"start": "00:00", "end": "24:00", "days": WEEK, "timezone": "UTC"},
        retry_policy={"max_attempts": 10, "delay_seconds": (1,) * 10, "on": tuple(RETRYABLE)},
    )
    assert len(BatchRequest.model_validate(largest).model_dump_json()) < 4_000


def test_what_is_named_twice_counts_once() -> None:
    account = AccountRequest.model_validate({"allowed_regions": ["FR", "US", "FR"]})
    assert account.allowed_regions == ["FR", "US"]
    request = BatchRequest.model_validate(
        batch(retry_policy={"on": (Outcome.BUSY, Outcome.FAILED, Outcome.BUSY)})
    )
    assert request.retry_policy.on == (Outcome.BUSY, Outcome.FAILED)


@pytest.mark.parametrize("name", ["A\0nn", "A\x01nn", "A\nnn", "A\x7fnn", "A\ud800"])
def test_a_name_with_a_control_character_is_refused(name: str) -> None:
    assert refused(BatchRequest, batch(name=name)) == [("name", "field_invalid")]
    assert refused(AgentRequest, {"name": name}) == [("name", "field_invalid")]


@pytest.mark.parametrize("agent_id", ["", "a\0", "a b", "a/b", "a" * 101, "a1\n"])
def test_an_id_that_no_agent_can_have_names_no_agent(agent_id: str) -> None:
    assert refused(BatchRequest, batch(agent_id=agent_id)) == [("agent_id", "agent_not_found")]


@pytest.mark.parametrize("value", [float("inf"), [1, float("-inf")], {"a": float("nan")}])
def test_a_number_that_json_cannot_hold_is_no_variable(value: object) -> None:
    body = {"variables": {"a": value}}
    assert refused(RecipientRequest, body) == [("variables", "field_invalid")]


def test_what_is_not_text_is_told_to_the_prompt_as_json() -> None:
    given = {"a": "Zoë", "b": None, "c": True, "d": 1.5, "e": {"ä": [1, None]}}
    recipient = RecipientRequest.model_validate({"variables": given})
    assert recipient.variables == {
        "a": "Zoë",
        "b": "",
        "c": "true",
        "d": "1.5",
        "e": '{"ä":[1,null]}',
    }
