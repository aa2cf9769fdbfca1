"""Whatever the carrier does to a request, nobody is rung twice; each mutant is convicted of it."""

from collections import Counter
from uuid import UUID

import pytest

from contracts.calls import CallCompleted, CallStarted
from contracts.outcomes import Outcome
from tests.dialer_story import numbers
from tests.dialing import Dialing

DIALER = "services.dialer"


async def all_settled(house: Dialing, dialer: str, count: int, **faults: float) -> list[UUID]:
    """Every call of a batch over, under these faults, and judged."""
    await house.behave(faults=faults)
    await house.start_dialer(dialer)
    calls = await house.grant(await house.batch(), numbers(count))
    await house.until_over(calls)
    await house.judge()
    return calls


def outcomes(house: Dialing) -> Counter[str]:
    return Counter(event.outcome.value for event in house.ended().values())


async def test_a_lost_answer_is_looked_up_and_the_call_goes_on(house: Dialing) -> None:
    await all_settled(house, DIALER, 10, lost_response=1)
    assert outcomes(house) == {"completed": 10}
    assert len(house.of(CallStarted)) == 10


async def test_a_dialer_that_retries_a_lost_answer_is_convicted(house: Dialing) -> None:
    with pytest.raises(AssertionError, match="requested twice"):
        await all_settled(house, "tests.faults.mutants.retrying_dialer", 10, lost_response=1)


async def test_a_lost_request_ends_as_unknown_and_is_not_repeated(house: Dialing) -> None:
    calls = await all_settled(house, DIALER, 10, lost_request=1)
    assert outcomes(house) == {"unknown": 10}
    ended = house.ended()[calls[0]]
    assert (ended.cause, ended.started_at) == ("placement_unknown", None)
    assert ended.requested_at is not None
    assert (ended.ended_at - ended.requested_at).total_seconds() >= 4  # the horizon of these tests
    assert len([e for e in await house.ledger() if e["kind"] == "request"]) == 10


async def test_an_error_of_the_carrier_is_no_refusal(house: Dialing) -> None:
    await all_settled(house, DIALER, 10, error_5xx=1)
    assert outcomes(house) == {"unknown": 10}


async def test_an_answer_that_comes_too_late_is_not_waited_for(house: Dialing) -> None:
    await all_settled(house, DIALER, 10, slow=1, slow_seconds=6)
    assert outcomes(house) == {"completed": 10}


async def test_callbacks_doubled_late_and_out_of_order_tell_one_story(house: Dialing) -> None:
    await all_settled(
        house, DIALER, 20,
        duplicate_callback=0.5, late_callback=0.3, late_seconds=0.5, reordered_callback=0.5,
    )  # fmt: skip
    assert len(house.of(CallStarted)) == len(house.of(CallCompleted)) == 20
    assert outcomes(house) == {"completed": 20}


async def test_under_all_faults_at_once_everybody_is_settled(house: Dialing) -> None:
    await all_settled(
        house, DIALER, 100,
        lost_response=0.2, lost_request=0.1, error_5xx=0.1, slow=0.1, slow_seconds=3,
        duplicate_callback=0.3, late_callback=0.2, late_seconds=1, reordered_callback=0.3,
    )  # fmt: skip
    rung = {e["call_id"] for e in await house.ledger() if e["kind"] == "ring"}
    reached = {c for c, e in house.ended().items() if e.outcome is Outcome.COMPLETED}
    assert {str(call) for call in reached} == rung
