"""What a batch's timeline tells of an event: clear facts alone, nothing sealed, nobody's name.

Fields are named here one by one: what a later event brings is not shown before somebody has judged
it.
"""

from pydantic_core import to_json

from contracts.event import BatchEvent
from contracts.recipients import RecipientsAdded
from services.projections.domain.batch import Created, State

_OF_COMMANDS = {
    "command_no", "command_id", "addition", "addition_id", "recipient_id", "include_unknown",
    "reason", *Created.model_fields,
}  # fmt: skip
_OF_STATUSES = {
    "sequence", "expired", "action", "refusal", "allowed_actions", *State.model_fields,
}  # fmt: skip
_OF_CHUNKS = {"chunk_no", "chunks", "count"}
_OF_GATES = {"through_epoch", "for_good", "live"}
CLEAR = _OF_COMMANDS | _OF_STATUSES | _OF_CHUNKS | _OF_GATES


def facts_of(event: BatchEvent) -> str:
    """As JSON."""
    facts = event.model_dump(mode="json", include=CLEAR)
    if isinstance(event, RecipientsAdded):
        facts["count"] = len(event.recipients)
    return to_json(facts).decode()
