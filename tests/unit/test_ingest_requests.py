"""What nobody could store, publish or call stops at the door, by its field and with a code."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.domain.requests import BatchRequest


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
