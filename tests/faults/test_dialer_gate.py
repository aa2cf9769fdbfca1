"""Once a pause is confirmed no request of its epoch leaves, whatever is granted: by the ledger."""

import pytest

from contracts.calls import CallReturned, ReturnReason
from contracts.gates import BatchGateClosed
from tests.dialer_story import numbers, paused
from tests.dialing import Dialing, until

DIALER = "services.dialer"


async def granted_after_a_pause(house: Dialing, dialer: str) -> None:
    """Grants that were decided before the pause come when it has been confirmed."""
    await house.start_dialer(dialer)
    batch = await house.batch()
    await house.until_over(await house.grant(batch, numbers(5)))
    await house.publish([paused(batch, epoch=1)])
    await until(lambda: house.of(BatchGateClosed), house.story)
    confirmed = len(await house.ledger())
    granted = house.grants(batch, numbers(20, first=100), grant_no=2)
    late = [event.call_id for event in granted]
    await house.publish(granted)
    await house.until_over(late)
    after = (await house.ledger())[confirmed:]
    assert [entry for entry in after if entry["kind"] == "request"] == [], "called while paused"
    returned = {event.call_id: event.reason for event in house.of(CallReturned)}
    assert returned == dict.fromkeys(late, ReturnReason.GATE_CLOSED)
    resumed = await house.grant(batch, numbers(5), grant_no=3, epoch=2)
    await house.until_over(resumed)
    asked = {entry["call_id"] for entry in await house.ledger() if entry["kind"] == "request"}
    assert {str(call) for call in resumed} <= asked


async def test_what_was_granted_before_a_pause_is_given_back_after_it(house: Dialing) -> None:
    await granted_after_a_pause(house, DIALER)


async def test_a_dialer_that_does_not_look_at_the_epoch_is_found_out(house: Dialing) -> None:
    with pytest.raises(AssertionError, match="called while paused"):
        await granted_after_a_pause(house, "tests.faults.mutants.gateless_dialer")
