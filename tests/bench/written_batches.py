"""Batches that stand in the log as ingest would have written them, and on its books.

For what HTTP is too slow or too narrow for: a hundred thousand of them, or those of other accounts.
Chunks go first, so that a batch is whole as soon as it is heard of.
"""

from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from chassis.producer import Producer
from chassis.vault import PostgresVault, batch_scope
from contracts.batches import Addition, BatchCreated, BatchStartRequested
from contracts.calendar import Window
from contracts.directory import AccountConfigured, AgentRegistered, PhoneNumberRegistered
from contracts.event import Event
from contracts.ids import addition_id_of, chunk_id_of, command_id_of, recipient_id_of
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.sealed import RecipientSecrets, Seal
from deploy.embedded.folder import DataFolder
from tests.house import AGENT, ALWAYS, CALLER, House, until

CHUNK_ROWS = 500
AT_ONCE = 1000
"""Batches whose events are published together."""
WITHIN = 60.0
HEARD: Mapping[str, str] = MappingProxyType(
    {
        # It meets them in its own topic and takes itself for one restored: their chunks are there.
        "ingest": """
            WITH known AS (UPDATE additions SET state = 'done' WHERE state = 'forgotten')
            SELECT count(*) FROM batches
        """,
        "scheduler": "SELECT count(*) FROM batches WHERE sequence > 0 AND created IS NOT NULL",
        "dialer": "SELECT count(*) FROM gates",
        "projections": "SELECT count(*) FROM batches WHERE sequence > 0 AND created IS NOT NULL",
    }
)
"""How many batches each service has on its books."""


@dataclass(frozen=True, slots=True)
class Written:
    account_id: str
    numbers: Sequence[str]
    due: datetime | None = None
    """None: it waits for `start`."""
    batch_id: UUID = field(default_factory=uuid4)

    @property
    def addition_id(self) -> UUID:
        return addition_id_of(self.batch_id, 1)


async def write_accounts(house: House, limits: Mapping[str, int]) -> None:
    """With an agent and a caller id each."""
    events: list[Event] = []
    for account_id, limit in limits.items():
        by: dict[str, Any] = {
            "account_id": account_id,
            "version": 1,
            "actor": "bench",
            "at": _now(),
        }
        events += [
            AccountConfigured(**by, concurrency=limit),
            PhoneNumberRegistered(**by, phone_number=CALLER, outbound=True),
            AgentRegistered(
                **by, agent_id=AGENT, name="Reminders", phone_number=CALLER, active=True
            ),
        ]
    async with _producer(house) as producer:
        await producer.publish(events, writer="ingest", within=WITHIN)


async def keys_of(house: House, batches: Sequence[Written]) -> dict[UUID, Seal]:
    """From the vault, so that the dialer can read who is to be called."""
    dsn, kek = house.endpoints["databases"]["vault"], b64decode(DataFolder(house.folder).key())
    vault = await PostgresVault.open(dsn, kek, application_name="bench")
    try:
        scopes = {batch.batch_id: batch_scope(batch.batch_id) for batch in batches}
        return {id_: Seal(await vault.create(scope), scope) for id_, scope in scopes.items()}
    finally:
        await vault.close()


async def write(house: House, batches: Sequence[Written], seals: Mapping[UUID, Seal]) -> None:
    async with _producer(house) as producer:
        for first in range(0, len(batches), AT_ONCE):
            some = batches[first : first + AT_ONCE]
            chunks = [chunk for batch in some for chunk in _chunks(batch, seals[batch.batch_id])]
            await producer.publish(chunks, writer="ingest", within=WITHIN)
            created = [_created(batch, seals[batch.batch_id]) for batch in some]
            await producer.publish(created, writer="ingest", within=WITHIN)


async def start(house: House, batches: Sequence[Written]) -> datetime:
    """All at once; the instant at which it was asked for."""
    async with _producer(house) as producer:
        asked = _now()
        wishes = [BatchStartRequested(**_command(batch, 2)) for batch in batches]
        await producer.publish(wishes, writer="ingest", within=WITHIN)
        return asked


def heard(house: House) -> dict[str, int]:
    return {service: int(house.moment(service, count)) for service, count in HEARD.items()}


def until_heard(house: House, before: Mapping[str, int], more: int, patience: float) -> None:
    """Until every service has that many batches more than before."""

    def all_have() -> bool:
        return all(count >= before[service] + more for service, count in heard(house).items())

    until(all_have, "the batches on everybody's books", patience)


def _created(batch: Written, seal: Seal) -> BatchCreated:
    return BatchCreated(
        **_command(batch, 1),
        name=seal.close("Written"),
        agent_id=AGENT,
        from_number=CALLER,
        window=Window.model_validate(ALWAYS),
        scheduled_at=batch.due,
        start=batch.due is not None,
        addition=Addition(
            addition_id=batch.addition_id,
            chunks=len(range(0, len(batch.numbers), CHUNK_ROWS)),
            recipients=len(batch.numbers),
        ),
    )


def _chunks(batch: Written, seal: Seal) -> Iterator[RecipientsAdded]:
    rows = range(1, len(batch.numbers) + 1)
    parts = [rows[first : first + CHUNK_ROWS] for first in range(0, len(rows), CHUNK_ROWS)]
    for chunk_no, part in enumerate(parts):
        yield RecipientsAdded(
            **_common(batch),
            addition_id=batch.addition_id,
            chunk_id=chunk_id_of(batch.addition_id, "accepted", chunk_no),
            chunk_no=chunk_no,
            chunks=len(parts),
            recipients=tuple(_entry(batch, row, seal) for row in part),
        )


def _entry(batch: Written, row: int, seal: Seal) -> RecipientEntry:
    secrets = RecipientSecrets(phone_number=batch.numbers[row - 1], name=f"Person {row}")
    return RecipientEntry(
        recipient_id=recipient_id_of(batch.addition_id, row), row=row, sealed=seal.close(secrets)
    )


def _command(batch: Written, number: int) -> dict[str, Any]:
    command_id = command_id_of(batch.batch_id, number)
    return {**_common(batch), "command_no": number, "command_id": command_id, "actor": "bench"}


def _common(batch: Written) -> dict[str, Any]:
    return {"account_id": batch.account_id, "batch_id": batch.batch_id, "at": _now()}


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def _producer(house: House) -> AsyncIterator[Producer]:
    producer = Producer(house.endpoints["kafka"])
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
