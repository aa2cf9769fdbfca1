"""A batch as the read side finds it, to ask what people are shown of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from contracts.batches import RetryPolicy
from contracts.calendar import Window
from contracts.estimate import Span
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch, Created, State

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
OFFICE = Window(start="09:00", end="18:00", days=("mon",), timezone="UTC")

BUSY_ONCE = "6:1:1:1:busy"
DONE = "6:1:1:1:completed"
PLACING = "2:1:1:1:"


def a_batch(status: BatchStatus = BatchStatus.RUNNING, **changes: Any) -> Batch:
    created = Created(
        agent_id="anna", from_number="+331", window=changes.pop("window", OFFICE),
        retry_policy=changes.pop("policy", RetryPolicy()),
    )  # fmt: skip
    batch = Batch(
        batch_id=uuid4(), name="Spring", created_at=NOON, created=created,
        state=State(status=status, epoch=1, **changes.pop("state", {})), sequence=1,
        expired_epoch=-1, gate_epoch=-1, total=3, rejected=0, additions=1, chunks=1, landed=1,
        standings={}, zones={"": Span()}, uncalled={},
    )  # fmt: skip
    return replace(batch, **changes)
