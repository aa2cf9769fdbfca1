"""What a call brought back, sealed: only who holds the batch's key can read it."""

from uuid import UUID

from pydantic import Field

from contracts.event import Event
from contracts.sealed import UnderBatchKey


class ConversationRecorded(Event):
    """What was said in a call; it may come before the call's end or long after."""

    batch_id: UUID
    recipient_id: UUID
    call_id: UUID
    grant_no: int = Field(ge=1)
    sealed: UnderBatchKey
    """Transcript, collected data and recording (`ConversationSecrets`), under the batch's key."""

    @property
    def key(self) -> str:
        return str(self.recipient_id)

    @property
    def number(self) -> str:
        return str(self.grant_no)
