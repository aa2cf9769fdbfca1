"""The whole audit: read, take, judge.  Nothing is judged before the last record is read."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from audit import (
    calls,
    ends,
    gates,
    grants,
    landing,
    numbers,
    order,
    seals,
    slots,
    transitions,
    twins,
)
from audit import verdicts as verdict_checks
from audit.batch import Batch, laid_out
from audit.book import Book, Heard
from audit.findings import Findings
from audit.hours import Calendar
from audit.hours import judge as judge_hours
from audit.marks import unpacked
from audit.person import assembled
from audit.record import PartitionOf, Reading, Record
from audit.scene import Scene
from audit.seals import Opens, VaultNow
from contracts.directory import AccountConfigured
from contracts.event import Event

CLOCKS_APART: Final = timedelta(0)


class Audit:
    """`cut`: an instant before the ends were looked up that are read to."""

    def __init__(
        self, partition_of: PartitionOf, cut: datetime, *, apart: timedelta = CLOCKS_APART
    ) -> None:
        self.findings = Findings()
        self.book = Book(self.findings)
        self._reading = Reading(self.findings, partition_of)
        self._cut = cut
        self._apart = apart // timedelta(microseconds=1)

    def read(self, record: Record) -> Event | None:
        return self._reading.event(record)

    def take(self, record: Record, event: Event, opens: Opens) -> None:
        self.book.take(record, event)
        seals.look(record, event, opens, self.book, self.findings)

    def deleted(self) -> list[UUID]:
        """Batches whose keys must be gone."""
        return [batch.batch_id for batch in self.book.batches if batch.deleted is not None]

    def keyless(self) -> list[UUID]:
        """Batches whose key is gone though nothing that was read deletes them."""
        return [b.batch_id for b in self.book.batches if b.keyless and b.deleted is None]

    def judge(self, vault: VaultNow) -> Findings:
        batches = tuple(laid_out(book) for book in self.book.batches)
        scene = Scene(self.findings, self.book, batches, self._cut, self._apart)
        numbers.judge_directory(scene)
        order.judge_directory(scene)
        for batch in batches:
            _judge_batch(batch, scene, vault)
        for account_id, account in self._judge_people(scene).items():
            slots.judge(account, self._limits(account_id), scene)
        return self.findings

    def _judge_people(self, scene: Scene) -> dict[str, slots.Slots]:
        accounts: dict[str, slots.Slots] = {}
        calendar = Calendar()
        for number, packed in self.book.people.items():
            batch = scene.batches[unpacked(packed)[0].batch]
            person = assembled(number, packed, self.findings)
            numbers.judge_person(person, scene)
            order.judge_person(person, scene)
            ends.judge(person, batch, scene)
            if person.calls:
                grants.judge(person, batch, scene)
                calls.judge(person, scene)
                gates.judge(person, batch, scene)
                judge_hours(person, batch, calendar, scene)
                twins.judge(person, scene)
                reserved = 0 if batch.created is None else batch.created.reserved_concurrency
                accounts.setdefault(batch.book.account_id, slots.Slots()).add(person, reserved)
        return accounts

    def _limits(self, account_id: str) -> list[Heard[AccountConfigured]]:
        known = self.book.directory.get(f"account:{account_id}", {}).values()
        return [
            Heard(heard.event, heard.told, heard.content)
            for heard in known
            if isinstance(heard.event, AccountConfigured)
        ]


def _judge_batch(batch: Batch, scene: Scene, vault: VaultNow) -> None:
    numbers.judge_batch(batch, scene)
    order.judge_batch(batch, scene)
    transitions.judge_batch(batch, scene)
    verdict_checks.judge_batch(batch, scene)
    landing.judge_batch(batch, scene)
    seals.judge_batch(batch, scene, vault)
