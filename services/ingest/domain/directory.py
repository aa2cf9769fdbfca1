"""An entry changes only by an event under the next version; what changes nothing is no event."""

from datetime import datetime
from typing import TypeVar

from contracts.directory import (
    AgentDisabled,
    AgentEvent,
    DirectoryEvent,
    PhoneNumberDisabled,
    PhoneNumberEvent,
)

E = TypeVar("E", bound=DirectoryEvent)

DEFAULT_CONCURRENCY = 10
_NOT_CONTENT = {"version", "at", "actor"}


def changed(known: DirectoryEvent | None, wanted: E) -> E | None:
    """`wanted` under the entry's next version; None if the entry already says so."""
    if known is None:
        return wanted.model_copy(update={"version": 1})
    if type(known) is type(wanted) and _content(known) == _content(wanted):
        return None
    return wanted.model_copy(update={"version": known.version + 1})


def agent_disabled(known: AgentEvent, *, actor: str, at: datetime) -> AgentDisabled:
    content = known.model_dump() | {"active": False, "actor": actor, "at": at}
    return AgentDisabled.model_validate(content)


def number_disabled(known: PhoneNumberEvent, *, actor: str, at: datetime) -> PhoneNumberDisabled:
    content = known.model_dump() | {"active": False, "actor": actor, "at": at}
    return PhoneNumberDisabled.model_validate(content)


def account_key(account_id: str) -> str:
    return f"account:{account_id}"


def agent_key(account_id: str, agent_id: str) -> str:
    return f"agent:{account_id}/{agent_id}"


def number_key(account_id: str, phone_number: str) -> str:
    return f"number:{account_id}/{phone_number}"


def _content(event: DirectoryEvent) -> dict[str, object]:
    return event.model_dump(exclude=_NOT_CONTENT)
