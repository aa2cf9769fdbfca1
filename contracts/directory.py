"""What an account has: full state each time under a rising `version`; the newest is enough."""

from pydantic import Field

from contracts.calendar import Window
from contracts.event import Event
from contracts.instants import Instant
from contracts.sealed import UnderAccountKey


class DirectoryEvent(Event):
    version: int = Field(ge=1)
    """Per entry, from 1; an older one is ignored."""
    actor: str

    @property
    def number(self) -> str:
        return str(self.version)


class AccountConfigured(DirectoryEvent):
    """What the account allows, all of it."""

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
    webhook: UnderAccountKey | None = None
    """The address, sealed under the account's key."""

    @property
    def key(self) -> str:
        return f"agent:{self.account_id}/{self.agent_id}"


class AgentRegistered(AgentEvent):
    """An agent as it is from now on; batches may name it while it is active."""


class AgentDisabled(AgentEvent):
    """No batch may name it any more, and what it was to call fails."""


class PhoneNumberEvent(DirectoryEvent):
    """One of the account's own caller ids: not personal data."""

    phone_number: str
    outbound: bool
    active: bool = True

    @property
    def key(self) -> str:
        return f"number:{self.account_id}/{self.phone_number}"


class PhoneNumberRegistered(PhoneNumberEvent):
    """A caller id as it is from now on."""


class PhoneNumberDisabled(PhoneNumberEvent):
    """No call leaves from it any more."""


class SuppressionEvent(DirectoryEvent):
    """A number never to be called, as a digest under the account's pepper."""

    digest: str
    source: str
    reason: UnderAccountKey | None = None
    """Sealed under the account's key: people write names into it."""
    expires_at: Instant | None = None

    @property
    def key(self) -> str:
        return f"suppression:{self.account_id}/{self.digest}"


class SuppressionAdded(SuppressionEvent):
    """From now on, and until `expires_at`, this number is not called."""


class SuppressionRemoved(SuppressionEvent):
    """This number may be called again."""
