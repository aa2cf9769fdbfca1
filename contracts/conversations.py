"""What a call brought back, sealed: only who holds the batch's key can read it."""

from uuid import UUID

from pydantic import Field

from contracts.event import Event


class ConversationRecorded(Event):
    batch_id: UUID
    recipient_id: UUID
    call_id: UUID
    grant_no: int = Field(ge=1)
    sealed: str
    """A `sealed.ConversationSecrets`."""

    @property
    def key(self) -> str:
        return str(self.recipient_id)

    @property
    def number(self) -> str:
        return str(self.grant_no)
