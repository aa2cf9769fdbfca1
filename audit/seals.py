"""Deleted is gone, and nothing else is: a seal opens, or its key went with its batch."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from audit.batch import Batch
from audit.book import Book
from audit.findings import Findings, check
from audit.record import Record, told
from audit.scene import Scene
from contracts.batches import BatchCreated, BatchRenamed
from contracts.conversations import ConversationRecorded
from contracts.directory import AgentEvent, SuppressionEvent
from contracts.event import Event
from contracts.recipients import RecipientsAdded, RecipientsRejected

SEALS: Final = check("seals", "Every seal opens, or its key is gone because its batch is deleted.")
KEYS: Final = check("keys", "The key of a deleted batch is gone once its gate is closed.")

SOON: Final = timedelta(seconds=60)
"""From the closing of the gate to the end of the key."""

Opens = Callable[[str, str], bool | None]
"""Of a scope and a seal; None: there is no key."""


@dataclass(frozen=True, slots=True)
class VaultNow:
    keyed: frozenset[UUID] = frozenset()
    """Deleted batches that still have their key."""
    deleted_since: frozenset[UUID] = frozenset()
    """Batches whose deletion came after the end that was read."""


def scope_of(event: Event) -> str | None:
    """Whose key its seals want; None: it holds none."""
    match event:
        case (
            BatchCreated() | BatchRenamed() | RecipientsAdded() | RecipientsRejected()
            | ConversationRecorded()
        ):  # fmt: skip
            return f"batch:{event.batch_id}"
        case AgentEvent() | SuppressionEvent():
            return f"account:{event.account_id}"
        case _:
            return None


def seals_in(event: Event) -> list[str]:  # noqa: PLR0911 - one a kind of event
    """A grant repeats the seal of its recipient's row."""
    match event:
        case BatchCreated():
            return [seal for seal in (event.name, event.webhook) if seal is not None]
        case BatchRenamed():
            return [event.name]
        case RecipientsAdded():
            return [entry.sealed for entry in event.recipients]
        case RecipientsRejected() | ConversationRecorded():
            return [event.sealed]
        case AgentEvent():
            return [] if event.webhook is None else [event.webhook]
        case SuppressionEvent():
            return [] if event.reason is None else [event.reason]
        case _:
            return []


def look(record: Record, event: Event, opens: Opens, book: Book, findings: Findings) -> None:
    """Whether its seals open; what is only without a key is judged when all is read."""
    scope = scope_of(event)
    if scope is None:
        return
    found = [opens(scope, seal) for seal in seals_in(event)]
    findings.looked(SEALS, len(found))
    if all(found):
        return
    where = told(record, dict(record.headers), event.at)
    if False in found:
        findings.breach(SEALS, f"{found.count(False)} seals that their key does not open", where)
    if None in found:
        if isinstance(event, AgentEvent | SuppressionEvent):
            findings.breach(SEALS, "its account has no key", where)
        else:
            batch = book.batch(event.batch_id)  # type: ignore[attr-defined] # the others have one
            batch.keyless = batch.keyless or where


def judge_batch(batch: Batch, scene: Scene, vault: VaultNow) -> None:
    book, findings = batch.book, scene.findings
    if book.keyless and book.deleted is None and book.batch_id not in vault.deleted_since:
        findings.breach(SEALS, "the key of a batch that nobody deleted is gone", book.keyless)
    closed = [(at, heard) for at, heard in batch.gates if heard.event.for_good]
    if book.deleted is None or not closed:
        return
    findings.looked(KEYS)
    if book.batch_id not in vault.keyed:
        return
    if closed[0][1].event.at + SOON <= scene.cut:
        what = "the key outlives its deleted batch"
        findings.breach(KEYS, what, book.deleted.told, closed[0][1].told)
    else:
        findings.open(KEYS, "the key is about to go")
