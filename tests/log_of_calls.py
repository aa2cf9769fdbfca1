"""The calls of a recipient as scheduler and dialer tell them, each stream in its own order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeAlias
from uuid import UUID

from contracts import calls
from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import call_id_of
from contracts.outcomes import Outcome
from contracts.sealed import ConversationSecrets, Seal

ACCOUNT = "default"
START = datetime(2026, 5, 4, 9, tzinfo=UTC)
SEAL = Seal(bytes(32), "batch")

Stream: TypeAlias = list[Event]


def call_streams(random: Random, batch_id: UUID, recipient_id: UUID) -> list[Stream]:
    granted: Stream = []
    placed: Stream = []
    said: Stream = []
    attempt = 1
    for grant_no in range(1, random.randint(0, 3) + 1):
        facts: dict[str, object] = {
            "account_id": ACCOUNT,
            "at": START + timedelta(minutes=grant_no),
            "batch_id": batch_id,
            "recipient_id": recipient_id,
            "call_id": call_id_of(batch_id, recipient_id, grant_no),
            "grant_no": grant_no,
            "attempt": attempt,
            "run_attempt": attempt,
            "epoch": 1 + grant_no // 3,
        }
        granted.append(
            RecipientQueued(
                **facts, sealed="", agent_id="anna", from_number="+33123456789", limit=10
            )
        )
        life = list(_call(random, facts))
        placed += life
        attempt += not any(isinstance(event, calls.CallReturned) for event in life)
        if any(isinstance(event, calls.CallStarted) for event in life):
            said.append(_conversation(facts))
    return [granted, placed, said]


def _call(random: Random, facts: dict[str, object]) -> Iterator[calls.CallEvent]:
    how = random.choice(["waits", "returned", "answered", "unknown", "unknown, then known", "live"])
    if how == "waits":
        return
    if how == "returned":
        yield calls.CallReturned(**facts, reason=calls.ReturnReason.GATE_CLOSED)
        return
    facts = facts | {"requested_at": START}
    yield calls.CallPlacing(**facts, carrier="simulator", send_before=START)
    if how.startswith("unknown"):
        yield _completed(facts, Outcome.UNKNOWN)
    if how in {"live", "answered", "unknown, then known"}:
        yield calls.CallStarted(**facts, carrier="simulator", carrier_call_id="c1")
    if how in {"answered", "unknown, then known"}:
        yield _completed(facts, random.choice([Outcome.COMPLETED, Outcome.BUSY, Outcome.INVALID]))


def _completed(facts: dict[str, object], outcome: Outcome) -> calls.CallCompleted:
    return calls.CallCompleted(
        **facts,
        outcome=outcome,
        cause="sip_200",
        carrier="simulator",
        started_at=START,
        ended_at=START + timedelta(seconds=30),
        cost=calls.Cost(amount=0.1),
    )


def _conversation(facts: dict[str, object]) -> ConversationRecorded:
    own = {"account_id", "at", "batch_id", "recipient_id", "call_id", "grant_no"}
    return ConversationRecorded(
        **{name: fact for name, fact in facts.items() if name in own},
        sealed=SEAL.close(ConversationSecrets(collected={"mood": "fine"})),
    )
