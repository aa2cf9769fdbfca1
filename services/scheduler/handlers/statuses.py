"""The status with the highest sequence is the batch's; facts about rows hold whatever the order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.postgres import Connection
from contracts.lifecycle import newest
from contracts.status import BatchStatusEvent, RecipientRemoved, RecipientsAddAccepted
from services.scheduler.store import Q, columns


async def fold_statuses(conn: Connection, events: Sequence[BatchStatusEvent]) -> None:
    latest: dict[UUID, BatchStatusEvent] = {}
    for event in events:
        latest[event.batch_id] = newest(latest.get(event.batch_id), event)
    if not latest:
        return
    rows = [_row(latest[batch_id]) for batch_id in sorted(latest)]
    await conn.execute(Q.take_statuses, *columns(rows, 14))
    await conn.execute(Q.drop_answered, sorted(latest))
    for event in events:
        match event:
            case RecipientsAddAccepted():
                await conn.execute(Q.accept_addition, event.addition_id, event.batch_id)
            case RecipientRemoved():
                await conn.execute(
                    Q.remove_recipient, event.recipient_id, event.batch_id, event.account_id
                )
            case _:
                pass


def _row(event: BatchStatusEvent) -> tuple[Any, ...]:
    return (
        event.batch_id,
        event.sequence,
        event.status,
        event.result,
        event.reason_code,
        event.reason,
        event.epoch,
        event.retry_epoch,
        event.unknown_retry_epoch,
        event.command_no,
        event.scheduled_at,
        event.started_at,
        event.finished_at,
        event.expires_at,
    )
