"""A grant becomes one call and one story in the log."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.calls import CallCompleted, CallPlacing, CallReturned, CallStarted, ReturnReason
from contracts.conversations import ConversationRecorded
from contracts.dispatch import EarlierCall
from contracts.gates import BatchGateClosed
from contracts.outcomes import Outcome
from contracts.sealed import ConversationSecrets
from tests.conftest import DatabaseFactory
from tests.dialer_story import now, numbers, paused, soon
from tests.dialing import Dialing, dialing, until


@pytest.fixture
async def house(
    kafka: str, database: DatabaseFactory, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Dialing]:
    async with dialing(kafka, topic_prefix, database, tmp_path) as house:
        await house.start_phones()
        await house.start_dialer()
        yield house


async def test_a_grant_becomes_a_call_and_what_was_said_is_kept_sealed(house: Dialing) -> None:
    batch = await house.batch()
    (call,) = await house.grant(batch, numbers(1), variables={"due_date": "Monday"})
    await house.until_over([call])
    await until(lambda: house.of(ConversationRecorded))
    kinds = [
        type(e) for e in house.said if isinstance(e, CallPlacing | CallStarted | CallCompleted)
    ]
    assert kinds == [CallPlacing, CallStarted, CallCompleted]
    (ended,) = house.of(CallCompleted)
    assert (ended.outcome, ended.cause) == (Outcome.COMPLETED, "answered_by_human")
    assert ended.carrier_call_id == house.of(CallStarted)[0].carrier_call_id
    assert ended.started_at is not None
    assert ended.answered_at is not None
    (recorded,) = house.of(ConversationRecorded)
    assert "Ann" not in recorded.model_dump_json()
    secrets = batch.seal.open(recorded.sealed, ConversationSecrets)
    assert secrets is not None
    assert any("Ann" in turn["text"] for turn in secrets.transcript)
    await house.judge()


@pytest.mark.parametrize(
    ("ending", "outcome", "cause"),
    [
        ("0002", Outcome.BUSY, "sip_486"),
        ("0003", Outcome.NO_ANSWER, "sip_480"),
        ("0004", Outcome.VOICEMAIL, "answered_by_machine"),
        ("0005", Outcome.DECLINED, "sip_603"),
        ("0006", Outcome.INVALID, "sip_404"),
    ],
)
async def test_how_a_call_ended_is_told(
    house: Dialing, ending: str, outcome: Outcome, cause: str
) -> None:
    (call,) = await house.grant(await house.batch(), [f"+1202555{ending}"])
    await house.until_over([call])
    assert (house.ended()[call].outcome, house.ended()[call].cause) == (outcome, cause)


async def test_every_event_delivered_twice_changes_nothing(house: Dialing) -> None:
    batch = await house.batch()
    granted = house.grants(batch, numbers(20))
    await house.publish([*granted, *granted])
    await house.publish([batch.created], writer="ingest")
    calls = [event.call_id for event in granted]
    await house.until_over(calls)
    own = [e for e in house.said if isinstance(e, CallPlacing | CallStarted | CallCompleted)]
    await house.publish(own, writer="dialer")
    await house.publish(granted)
    (last,) = await house.grant(await house.batch(), numbers(1, first=500))
    await house.until_over([last])
    await until(lambda: len(house.of(CallCompleted)) == 20 + 20 + 1)  # ours said again, and one
    assert len(house.of(CallStarted)) == 20 + 20 + 1
    await house.judge()


async def test_a_closed_gate_gives_the_grant_back_and_says_when_it_is_quiet(house: Dialing) -> None:
    batch = await house.batch()
    await house.publish([paused(batch, epoch=1)])
    await until(lambda: house.of(BatchGateClosed))
    (call,) = await house.grant(batch, numbers(1))
    await house.until_over([call])
    (returned,) = house.of(CallReturned)
    assert returned.reason is ReturnReason.GATE_CLOSED
    (again,) = await house.grant(batch, numbers(1), grant_no=2, epoch=2)
    await house.until_over([again])
    assert house.ended()[again].outcome is Outcome.COMPLETED
    assert [e.through_epoch for e in house.of(BatchGateClosed)] == [1]


async def test_a_grant_whose_time_has_passed_is_given_back(house: Dialing) -> None:
    (call,) = await house.grant(await house.batch(), numbers(1), place_before=soon(-1))
    await house.until_over([call])
    assert house.of(CallReturned)[0].reason is ReturnReason.DEADLINE_PASSED
    assert await house.ledger() == []


async def test_a_suppressed_number_is_never_rung(house: Dialing) -> None:
    suppressed, other = numbers(2)
    await house.suppress(suppressed)
    batch = await house.batch()
    await until(lambda: house.sql("SELECT FROM suppressions"))
    first, second = await house.grant(batch, [suppressed, other])
    await house.until_over([first, second])
    assert house.ended()[first].outcome is Outcome.SUPPRESSED
    assert house.of(CallPlacing, first) == []
    assert {entry["to"] for entry in await house.judge()} == {other}


async def test_two_live_calls_to_one_number_are_never_placed(house: Dialing) -> None:
    await house.behave(ring_seconds=1, talk_seconds=1)
    (number,) = numbers(1)
    calls = await house.grant(await house.batch(), [number, number, number])
    await house.until_over(calls)
    reasons = [event.reason for event in house.of(CallReturned)]
    assert reasons == [ReturnReason.NUMBER_BUSY, ReturnReason.NUMBER_BUSY]
    assert all(e.not_before is not None and e.not_before > e.at for e in house.of(CallReturned))
    await house.judge()


async def test_refused_credentials_give_back_with_the_reason(house: Dialing) -> None:
    await house.behave(faults={"unauthorized": 1})
    (call,) = await house.grant(await house.batch(), numbers(1))
    await house.until_over([call])
    (returned,) = house.of(CallReturned)
    assert (returned.reason, returned.detail) == (
        ReturnReason.FATAL_FAULT,
        "carrier_unauthorized",
    )


async def test_a_carrier_that_takes_no_more_gives_back_and_is_left_in_peace(house: Dialing) -> None:
    await house.behave(calls_per_second=5)
    calls = await house.grant(await house.batch(), numbers(40))
    await house.until_over(calls)
    reasons = {event.reason for event in house.of(CallReturned)}
    assert reasons == {ReturnReason.CARRIER_OVERLOADED}
    assert len(house.ended()) + len(house.of(CallReturned)) == 40
    await house.judge()


async def test_a_carrier_that_is_down_gives_back_and_loses_nobody(house: Dialing) -> None:
    assert house.phones is not None
    await house.phones.end()
    batch = await house.batch()
    calls = await house.grant(batch, numbers(5))
    await house.until_over(calls)
    assert {e.detail for e in house.of(CallReturned)} == {"carrier_unreachable"}
    await house.start_phones()
    again = await house.grant(batch, numbers(5), grant_no=2)
    await house.until_over(again)
    assert {house.ended()[call].outcome for call in again} == {Outcome.COMPLETED}
    await house.judge()


async def test_who_was_reached_by_an_unaccounted_call_is_not_rung_again(house: Dialing) -> None:
    batch = await house.batch()
    (reached,) = await house.grant(batch, ["+12025550001"])
    await house.until_over([reached])
    earlier = (EarlierCall(call_id=reached, requested_at=now()),)
    (again,) = await house.grant(batch, ["+12025550001"], grant_no=2, look_up_first=earlier)
    await house.until_over([again])
    assert (house.ended()[again].outcome, house.ended()[again].cause) == (
        Outcome.COMPLETED,
        "reached_before",
    )
    assert house.of(CallPlacing, again) == []


async def test_who_was_not_reached_by_an_unaccounted_call_is_called_again(house: Dialing) -> None:
    batch = await house.batch()
    (busy,) = await house.grant(batch, ["+12025550002"])
    await house.until_over([busy])
    earlier = (EarlierCall(call_id=busy, requested_at=now()),)
    (again,) = await house.grant(batch, numbers(1), grant_no=2, look_up_first=earlier)
    await house.until_over([again])
    assert house.ended()[again].outcome is Outcome.COMPLETED
    await house.judge()
