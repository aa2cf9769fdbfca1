"""A log as the services write it, made up at random: streams of events, each in its own order.

Only the order within a stream (a key of a topic) is promised; a reader may get the streams
interleaved in any way, and parts of them again.
"""

from datetime import timedelta
from random import Random
from uuid import UUID

from contracts import batches, status
from contracts.batches import Addition, BatchCreated, RetryPolicy
from contracts.calendar import Window
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.ids import (
    addition_id_of,
    chunk_id_of,
    command_id_of,
    derive,
    recipient_id_of,
)
from contracts.recipients import RecipientEntry, RecipientsAdded, RecipientsRejected
from contracts.sealed import (
    FieldError,
    RecipientSecrets,
    Rejection,
    Rejections,
    Seal,
)
from contracts.statuses import Action, BatchStatus
from tests.log_of_calls import ACCOUNT, SEAL, START, Stream, call_streams
from tests.log_of_directory import directory_streams

WINDOW = Window(start="00:00", end="24:00", days=("mon", "tue", "wed"), timezone="Europe/Paris")


class OneKey:
    """Every batch under one key."""

    async def of(self, scope: str) -> Seal | None:  # noqa: ARG002 - one for all
        return SEAL


class BatchLog:
    """One batch's streams."""

    def __init__(self, random: Random, batch_no: int) -> None:
        self._random = random
        self.batch_id = derive("batch", "a test's", batch_no)
        self._at = START + timedelta(minutes=batch_no)
        self._commands: Stream = []
        self._statuses: Stream = []
        self._epoch = 0
        self._rest: list[Stream] = []

    def streams(self) -> list[Stream]:
        self._create()
        actions = (
            self._rename, self._pause, self._add, self._retry, self._refuse, self._complete,
        )  # fmt: skip
        for _ in range(self._random.randint(0, 6)):
            self._random.choice(actions)()
        if self._random.random() < 0.2:
            self._command(batches.BatchDeleted)
        return [self._commands, self._statuses, *self._rest]

    def _common(self) -> dict[str, object]:
        self._at += timedelta(seconds=self._random.randint(0, 60))
        return {"account_id": ACCOUNT, "at": self._at, "batch_id": self.batch_id}

    def _command(self, kind: type[batches.BatchCommand], **facts: object) -> None:
        number = len(self._commands) + 1
        self._commands.append(
            kind(
                **self._common(),
                command_no=number,
                command_id=command_id_of(self.batch_id, number),
                actor="api",
                **facts,
            )
        )

    def _status(
        self, kind: type[status.BatchStatusEvent], now: BatchStatus, **facts: object
    ) -> None:
        self._statuses.append(
            kind(
                **self._common(),
                sequence=len(self._statuses) + 1,
                status=now,
                epoch=self._epoch,
                command_no=max(1, len(self._commands)),
                **facts,
            )
        )

    def _create(self) -> None:
        self._command(
            BatchCreated,
            name=SEAL.close("Spring"),
            agent_id="anna",
            from_number="+33123456789",
            window=WINDOW,
            retry_policy=RetryPolicy(max_attempts=self._random.randint(1, 3)),
            addition=self._addition(1),
        )
        self._status(status.BatchScheduled, BatchStatus.SCHEDULED)
        self._epoch += 1
        self._status(status.BatchStarted, BatchStatus.RUNNING, started_at=self._at)

    def _rename(self) -> None:
        self._command(batches.BatchRenamed, name=SEAL.close(f"Name {self._random.random()}"))

    def _pause(self) -> None:
        self._command(batches.BatchPauseRequested)
        self._status(status.BatchPaused, BatchStatus.PAUSED)
        self._rest.append(
            [
                BatchGateClosed(
                    **self._common(), through_epoch=self._epoch - self._random.randint(0, 1)
                )
            ]
        )

    def _add(self) -> None:
        addition = self._addition(len(self._commands) + 1)
        self._command(batches.RecipientsAddRequested, addition=addition)
        if self._random.random() < 0.7:
            self._status(
                status.RecipientsAddAccepted,
                BatchStatus.RUNNING,
                addition_id=addition.addition_id,
            )

    def _retry(self) -> None:
        self._command(batches.BatchRetryRequested)
        self._epoch += 1
        self._status(status.BatchRetried, BatchStatus.RUNNING, retry_epoch=self._epoch)

    def _refuse(self) -> None:
        self._command(batches.BatchStartRequested)
        self._status(status.BatchActionRejected, BatchStatus.RUNNING, action=Action.START)

    def _complete(self) -> None:
        self._status(
            status.BatchCompleted,
            BatchStatus.COMPLETED,
            expired=self._random.random() < 0.5,
            finished_at=self._at,
        )

    def _addition(self, number: int) -> Addition:
        addition_id = addition_id_of(self.batch_id, number)
        chunks = self._random.randint(1, 2)
        people = 0
        for chunk_no in range(chunks):
            size = self._random.randint(1, 3)
            self._chunk(addition_id, chunk_no, chunks, range(people + 1, people + size + 1))
            people += size
        rejected = self._random.randint(0, 2)
        if rejected:
            self._rejections(addition_id, rejected)
        return Addition(
            addition_id=addition_id, chunks=chunks, recipients=people, rejected=rejected
        )

    def _chunk(self, addition_id: UUID, chunk_no: int, chunks: int, rows: range) -> None:
        entries = tuple(
            RecipientEntry(
                recipient_id=recipient_id_of(addition_id, row),
                row=row,
                sealed=SEAL.close(
                    RecipientSecrets(phone_number=f"+3360000{row:04}", variables=self._variables())
                ),
                zones=("Europe/Paris",) if self._random.random() < 0.5 else (),
            )
            for row in rows
        )
        self._rest.append(
            [
                RecipientsAdded(
                    **self._common(),
                    addition_id=addition_id,
                    chunk_id=chunk_id_of(addition_id, "added", chunk_no),
                    chunk_no=chunk_no,
                    chunks=chunks,
                    recipients=entries,
                )
            ]
        )
        for entry in entries:
            if self._random.random() < 0.1:
                self._status(
                    status.RecipientRemoved,
                    BatchStatus.RUNNING,
                    recipient_id=entry.recipient_id,
                )
            else:
                self._rest += call_streams(self._random, self.batch_id, entry.recipient_id)

    def _variables(self) -> dict[str, str]:
        names = ["plan", "due", "city"]
        return dict.fromkeys(self._random.sample(names, self._random.randint(0, 3)), "pro")

    def _rejections(self, addition_id: UUID, count: int) -> None:
        error = FieldError(field="phone_number", code="phone_missing", message="Give a number.")
        rows = tuple(Rejection(row=1000 + n, errors=(error,)) for n in range(count))
        self._rest.append(
            [
                RecipientsRejected(
                    **self._common(),
                    addition_id=addition_id,
                    chunk_id=chunk_id_of(addition_id, "rejected", 0),
                    chunk_no=0,
                    chunks=1,
                    count=count,
                    sealed=SEAL.close(Rejections(rows=rows)),
                )
            ]
        )


def a_log(random: Random) -> list[Stream]:
    streams = directory_streams(random)
    for batch_no in range(random.randint(1, 3)):
        streams += BatchLog(random, batch_no).streams()
    return [stream for stream in streams if stream]


def interleaved(random: Random, streams: list[Stream]) -> list[list[Event]]:
    """Polls that keep each stream's order and deliver some of it again."""
    read = [0] * len(streams)
    told: list[Event] = []
    polls: list[list[Event]] = [[]]
    open_streams = list(range(len(streams)))
    while open_streams:
        which = random.choice(open_streams)
        told.append(streams[which][read[which]])
        polls[-1].append(told[-1])
        read[which] += 1
        if read[which] == len(streams[which]):
            open_streams.remove(which)
        if random.random() < 0.3:
            polls.append([])
        if random.random() < 0.3:
            polls[-1].append(random.choice(told))
    return [poll for poll in polls if poll]
