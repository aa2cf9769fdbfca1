"""A callback settles the call it is of, and no other."""

from pathlib import Path
from typing import Any
from uuid import UUID

from contracts.calls import CallCompleted, CallStarted
from contracts.outcomes import Outcome
from tests.conftest import DatabaseFactory
from tests.dialer_story import numbers
from tests.dialing import Dialing, dialing, until


async def told(house: Dialing, dialer: str, call: UUID, **said: Any) -> tuple[int, str]:
    body = {"call_id": str(call), "event": "ended", "at": "2026-03-02T12:00:00Z", **said}
    async with house.http.post(f"{dialer}/callbacks/simulator", json=body) as answer:
        return answer.status, (await answer.json())["code"]


async def test_news_of_another_call_or_of_no_time_leaves_a_live_call_alone(
    kafka: str, database: DatabaseFactory, topic_prefix: str, tmp_path: Path
) -> None:
    async with dialing(kafka, topic_prefix, database, tmp_path) as house:
        await house.start_phones(talk_seconds=600)
        dialer = (await house.start_dialer()).url
        calls = await house.grant(await house.batch(), numbers(2))
        await until(lambda: len(house.of(CallStarted)) == len(calls))
        known = {event.call_id: event.carrier_call_id for event in house.of(CallStarted)}
        mine, other = calls
        assert await told(house, dialer, mine, carrier_call_id=known[other], sip_code=480) == (
            404,
            "call_not_found",
        )
        never = "0001-01-01T00:00:00+23:59"
        assert await told(house, dialer, mine, carrier_call_id=known[mine], at=never) == (
            400,
            "body_invalid",
        )
        phones = f"http://127.0.0.1:{house.port_of_phones}/calls"
        async with house.http.post(f"{phones}/{known[mine]}/hangup") as hung_up:
            assert hung_up.status == 200
        await house.until_over([mine])
        assert [event.outcome for event in house.of(CallCompleted)] == [Outcome.COMPLETED]
