"""What an account has: full state each time under a rising `version`; the newest is enough."""

from pydantic import Field

from contracts.calendar import Window
from contracts.event import Event
from contracts.instants import Instant


class DirectoryEvent(Event):
    version: int = Field(ge=1)
    """Per entry, from 1; an older one is ignored."""
    actor: str

    @property
    def number(self) -> str:
        return str(self.version)


class AccountConfigured(DirectoryEvent):
    concurrency: int = Field(ge=1)
    default_window: Window | None = None
    allowed_regions: tuple[str, ...] | None = None
    """ISO 3166 alpha-2; None: all."""

    @property
    def key(self) -> str:
        return f"account:{self.account_id}"


class AgentEvent(DirectoryEvent):
    agent_id: str
    name: str
    phone_number: str | None = None
    active: bool
    webhook: str | None = None
    """The address, sealed under the account's key."""

    @property
    def key(self) -> str:
        return f"agent:{self.account_id}/{self.agent_id}"


class AgentRegistered(AgentEvent): ...


class AgentDisabled(AgentEvent): ...


class PhoneNumberEvent(DirectoryEvent):
    """One of the account's own caller ids: not personal data."""

    phone_number: str
    outbound: bool
    active: bool = True

    @property
    def key(self) -> str:
        return f"number:{self.account_id}/{self.phone_number}"


class PhoneNumberRegistered(PhoneNumberEvent): ...


class PhoneNumberDisabled(PhoneNumberEvent): ...


class SuppressionEvent(DirectoryEvent):
    """A number never to be called, as a digest under the account's pepper."""

    digest: str
    source: str
    reason: str | None = None
    """Sealed under the account's key: people write names into it."""
    expires_at: Instant | None = None

    @property
    def key(self) -> str:
        return f"suppression:{self.account_id}/{self.digest}"


class SuppressionAdded(SuppressionEvent): ...


class SuppressionRemoved(SuppressionEvent): ...
