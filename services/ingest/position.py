"""What a read has to wait for to see this write; opaque to clients."""

from base64 import urlsafe_b64encode
from uuid import UUID

from contracts.directory import DirectoryEvent

HEADER = "Rollcall-Position"


def of_command(batch_id: UUID, command_no: int) -> str:
    return _opaque(f"batch:{batch_id}:command:{command_no}")


def of_verdict(batch_id: UUID, sequence: int) -> str:
    return _opaque(f"batch:{batch_id}:sequence:{sequence}")


def of_entry(event: DirectoryEvent) -> str:
    kind, entry_id = event.key.split(":", 1)
    entry_id = entry_id.removeprefix(f"{event.account_id}/")
    return _opaque(f"directory:{kind}:{entry_id}:{event.version}")


def _opaque(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()
