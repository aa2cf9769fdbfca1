"""A log of batches whose people have all been called, as the services would have written it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts import calls, status
from contracts.batches import Addition, BatchCreated
from contracts.calendar import Window
from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import addition_id_of, call_id_of, chunk_id_of, command_id_of, recipient_id_of
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.sealed import ConversationSecrets, RecipientSecrets, Seal
from contracts.statuses import BatchStatus
from tests.house import AGENT, ALWAYS, CALLER

CHUNK_ROWS = 500
WINDOW = Window.model_validate(ALWAYS)


class Told:
    def __init__(self, seal: Seal, people: int, batch_id: UUID | None = None) -> None:
        self.batch_id = batch_id or uuid4()
        self._seal = seal
        self._people = people
        self._addition_id = addition_id_of(self.batch_id, 1)
        self._recipients = [recipient_id_of(self._addition_id, row + 1) for row in range(people)]
        self._secret = seal.close(RecipientSecrets(phone_number=CALLER, name="Ada", variables={}))

    def created(self) -> list[Event]:
        addition = Addition(
            addition_id=self._addition_id,
            chunks=-(-self._people // CHUNK_ROWS),
            recipients=self._people,
        )
        created = BatchCreated(
            **self._common(),
            command_no=1,
            command_id=command_id_of(self.batch_id, 1),
            actor="bench",
            name=self._seal.close("Told"),
            agent_id=AGENT,
            from_number=CALLER,
            window=WINDOW,
            addition=addition,
        )
        return [created, *self._chunks(addition.chunks), self._started()]

    def _chunks(self, chunks: int) -> Iterator[Event]:
        for chunk_no in range(chunks):
            rows = range(chunk_no * CHUNK_ROWS, min((chunk_no + 1) * CHUNK_ROWS, self._people))
            yield RecipientsAdded(
                **self._common(),
                addition_id=self._addition_id,
                chunk_id=chunk_id_of(self._addition_id, "added", chunk_no),
                chunk_no=chunk_no,
                chunks=chunks,
                recipients=tuple(
                    RecipientEntry(
                        recipient_id=self._recipients[row], row=row + 1, sealed=self._secret
                    )
                    for row in rows
                ),
            )

    def _started(self) -> Event:
        return status.BatchStarted(
            **self._common(),
            command_no=1,
            sequence=1,
            status=BatchStatus.RUNNING,
            epoch=1,
            started_at=_now(),
        )

    def rung(self, people: Sequence[int]) -> Iterator[Event]:
        """Up to the answer."""
        for nth in people:
            grant, at = self._grant(nth), _now()
            yield RecipientQueued(
                **grant, sealed=self._secret, agent_id=AGENT, from_number=CALLER, limit=500
            )
            asked = grant | {"carrier": "simulator", "requested_at": at}
            yield calls.CallPlacing(**asked, send_before=at)
            yield calls.CallStarted(**asked, carrier_call_id=str(grant["call_id"]))

    def ended(self, people: Sequence[int]) -> Iterator[Event]:
        for nth in people:
            grant, at = self._grant(nth), _now()
            yield calls.CallCompleted(
                **grant,
                outcome=Outcome.COMPLETED,
                cause="sip_200",
                carrier="simulator",
                requested_at=at,
                started_at=at,
                answered_at=at,
                ended_at=at + timedelta(seconds=30),
                duration_seconds=30,
                cost=calls.Cost(amount=0.05),
            )

    def talked(self, people: Sequence[int]) -> Iterator[Event]:
        said = self._seal.close(ConversationSecrets(transcript=({"role": "agent", "text": "Hi"},)))
        for nth in people:
            grant = {k: v for k, v in self._grant(nth).items() if k not in {"attempt", "epoch"}}
            yield ConversationRecorded(**grant, sealed=said)

    def _grant(self, nth: int) -> dict[str, Any]:
        recipient_id = self._recipients[nth]
        return self._common() | {
            "recipient_id": recipient_id,
            "call_id": call_id_of(self.batch_id, recipient_id, 1),
            "grant_no": 1,
            "attempt": 1,
            "epoch": 1,
        }

    def _common(self) -> dict[str, Any]:
        return {"account_id": "default", "batch_id": self.batch_id, "at": _now()}


def _now() -> datetime:
    return datetime.now(UTC)
