"""A read model of many batches, folded as from the log: by the folds themselves, but for the seals.

Nothing is published: a log of a million people would take longer to write than to read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from chassis.postgres import Connection, connect
from contracts import status
from contracts.batches import Addition, BatchCreated
from contracts.calls import CallCompleted
from contracts.event import Event
from contracts.ids import addition_id_of, chunk_id_of, command_id_of, derive
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.sealed import RecipientSecrets, Seal
from contracts.statuses import BatchStatus
from services.projections.generations.live import enter
from services.projections.handlers import fold_events
from tests.batch_story import ALWAYS

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
CHUNK = 1_000
AT_ONCE = 10_000
_ODD = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""People in a transaction."""
GIVEN = ("Anna", "Zoë", "Łukasz", "Ravi", "Mei", "Óscar", "Иван", "فاطمة", "José", "Jürgen", "Li")
FAMILY = ("Smith", "Müller", "Çelik", "Dupont", "García", "Tanaka", "Okafor", "Nguyễn", "Σάββας")
THINGS = ("Reminder", "Appointment", "Été", "Survey", "Invoice", "Delivery", "Fête", "Renewal")
ENDS = (Outcome.COMPLETED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL)
UNDER_WAY = {
    BatchStatus.RUNNING: status.BatchStarted,
    BatchStatus.PAUSED: status.BatchPaused,
    BatchStatus.CANCELLED: status.BatchCancelled,
}


class _Open:
    """What was never sealed: a row's number is all there is to say of it."""

    def open(self, sealed: str, _: type[Any]) -> RecipientSecrets:
        row = int(sealed)
        return RecipientSecrets.model_construct(
            phone_number=f"+33{600_000_000 + row * 7919 % 99_999_989:09}",
            name=f"{GIVEN[row % len(GIVEN)]} {FAMILY[row % len(FAMILY)]} {row}",
            variables={"city": "Paris", "appointment": f"2026-05-{1 + row % 28:02}", "row": sealed},
        )

    def text(self, sealed: str) -> str:
        return sealed


class Opened:
    async def of(self, scope: str) -> Seal | None:  # noqa: ARG002 - one for all
        return cast("Seal", _Open())


@dataclass(frozen=True, slots=True)
class Told:
    """A batch: the long ones are under way, in the others everybody has been called."""

    number: int
    people: int
    is_long: bool

    @property
    def batch_id(self) -> UUID:
        return derive("batch", "reading", self.number)

    def recipient_id(self, row: int) -> UUID:
        return _scattered(2 * (self.number << 32 | row))

    @property
    def status(self) -> BatchStatus:
        return list(UNDER_WAY)[self.number % 3] if self.is_long else BatchStatus.COMPLETED

    def events(self) -> Iterator[list[Event]]:
        """In parts."""
        yield [self._created(), self._status()]
        called = self.people // 10 if self.is_long else self.people
        for since in range(1, self.people + 1, CHUNK):
            upto = min(since + CHUNK, self.people + 1)
            ended = range(since, min(upto, called + 1))
            yield [self._chunk(since, upto), *(self._completed(row) for row in ended)]

    def _common(self) -> dict[str, Any]:
        at = START + timedelta(minutes=self.number)
        return {"account_id": "default", "at": at, "batch_id": self.batch_id}

    def _created(self) -> Event:
        chunks = -(-self.people // CHUNK)
        addition_id = addition_id_of(self.batch_id, 1)
        return BatchCreated(
            **self._common(),
            command_no=1,
            command_id=command_id_of(self.batch_id, 1),
            actor="api",
            name=f"{THINGS[self.number % len(THINGS)]} no. {self.number}",
            agent_id="anna",
            from_number="+33123456789",
            window=ALWAYS,
            addition=Addition(addition_id=addition_id, chunks=chunks, recipients=self.people),
        )

    def _status(self) -> Event:
        kind = UNDER_WAY.get(self.status, status.BatchCompleted)
        times = {"started_at": START, "epoch": 1, "command_no": 1, "sequence": 1}
        return kind(**self._common(), status=self.status, **times)

    def _chunk(self, since: int, upto: int) -> Event:
        addition_id = addition_id_of(self.batch_id, 1)
        number = since // CHUNK
        entries = (
            RecipientEntry.model_construct(
                recipient_id=self.recipient_id(row),
                row=row,
                sealed=str(row),
                zones=("Europe/Paris",),
            )
            for row in range(since, upto)
        )
        return RecipientsAdded(
            **self._common(),
            addition_id=addition_id,
            chunk_id=chunk_id_of(addition_id, "added", number),
            chunk_no=number,
            chunks=-(-self.people // CHUNK),
            recipients=tuple(entries),
        )

    def _completed(self, row: int) -> Event:
        recipient_id, at = self.recipient_id(row), START + timedelta(seconds=row)
        return CallCompleted(
            **self._common(),
            recipient_id=recipient_id,
            call_id=_scattered(2 * (self.number << 32 | row) + 1),
            grant_no=1,
            attempt=1,
            epoch=1,
            outcome=ENDS[row % len(ENDS)],
            cause="sip_200",
            carrier="simulator",
            requested_at=at,
            started_at=at,
            ended_at=at + timedelta(seconds=9),
            duration_seconds=9,
        )


def _scattered(number: int) -> UUID:
    """Another for each number, and as far from each other as ids are."""
    return UUID(int=number * _ODD % 2**128)


def sized(batches: int, people: int, longest: int) -> list[Told]:
    """Three of the longest, the rest a hundredth, a tenth or whatever remains for each."""
    lengths = [longest] * 3
    lengths += [longest // 10] * (batches // 50)
    lengths += [longest // 1000] * (batches * 7 // 10)
    left = batches - len(lengths)
    share, over = divmod(people - sum(lengths), left)
    lengths += [share] * (left - 1) + [share + over]
    short = longest // 1000
    return [Told(number, length, length > short) for number, length in enumerate(lengths)]


async def fill(dsn: str, batches: Sequence[Told]) -> int:
    """Gives the bytes that the model takes."""
    conn = await connect(dsn, application_name="bench", transaction_timeout="0")
    try:
        waiting: list[Event] = []
        for batch in batches:
            for part in batch.events():
                waiting += part
                if len(waiting) * CHUNK > AT_ONCE:
                    await _folded(conn, waiting)
                    waiting = []
        await _folded(conn, waiting)
        await conn.execute("SET statement_timeout = 0")
        await conn.execute("VACUUM (ANALYZE)")
        return int(await conn.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await conn.close()


async def _folded(conn: Connection, events: Sequence[Event]) -> None:
    async with conn.transaction():
        await enter(conn)
        await fold_events(conn, events, keys=Opened())
