"""What only people can mend stops a batch before its next call, and says what they have to do."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from contracts.status import BatchFailed
from contracts.statuses import BatchStatus, Result
from services.scheduler.domain.batch import Batch, say

AGENT_INACTIVE: Final = "agent_inactive"
NOT_OUTBOUND: Final = "from_number_not_outbound"
IMPORT_FAILED: Final = "import_failed"

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        AGENT_INACTIVE: "The agent {agent_id} is not active. Activate it, then retry the batch.",
        NOT_OUTBOUND: "The number {from_number} may not be called from: it is disabled, or not for"
        " outbound calls. Mend that, then retry the batch.",
        "carrier_unauthorized": "The carrier refused its credentials. Correct them, then retry the"
        " batch.",
        "key_lost": "The vault does not have the key under which its people are sealed. Restore the"
        " vault from a newer backup, then retry the batch.",
        IMPORT_FAILED: "Some of its recipients were lost before they could be called. Make the"
        " batch again from its list.",
    }
)
_OTHERWISE: Final = "The carrier refused in a way that no further call can mend ({code})."


def fail(
    batch: Batch, code: str, at: datetime, *, from_number: str | None = None, **by: object
) -> BatchFailed:
    """`from_number`: the one meant, where it is not the batch's own; `by`: the command."""
    created = batch.created
    reason = _REASONS.get(code, _OTHERWISE).format(
        code=code, agent_id=created.agent_id, from_number=from_number or created.from_number
    )
    return say(
        batch,
        BatchFailed,
        at,
        status=BatchStatus.FAILED,
        result=Result.FAILED,
        reason_code=code,
        reason=reason,
        finished_at=at,
        **by,
    )
