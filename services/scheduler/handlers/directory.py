"""Of each entry the highest version counts; one that was never heard of is in use."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, TypeVar

from chassis.postgres import Connection
from contracts.directory import (
    AccountConfigured,
    AgentDisabled,
    AgentEvent,
    AgentRegistered,
    DirectoryEvent,
    PhoneNumberDisabled,
    PhoneNumberEvent,
    PhoneNumberRegistered,
)
from contracts.event import Event
from services.scheduler.store import Q, columns

CONCERNS: Final = frozenset(
    {AccountConfigured, AgentRegistered, AgentDisabled, PhoneNumberRegistered, PhoneNumberDisabled}
)
"""Of the directory; who is not to be called at all is the dialer's to know."""

E = TypeVar("E", bound=DirectoryEvent)


async def fold_directory(conn: Connection, events: Sequence[Event]) -> None:
    accounts = [
        (e.account_id, e.concurrency, e.version) for e in _newest(events, AccountConfigured)
    ]
    if accounts:
        await conn.execute(Q.configure_accounts, *columns(accounts, 3))
    agents = [
        (e.account_id, e.agent_id, e.active and not isinstance(e, AgentDisabled), e.version)
        for e in _newest(events, AgentEvent)
    ]
    if agents:
        await conn.execute(Q.know_agents, *columns(agents, 4))
    numbers = [
        (e.account_id, e.phone_number, _may_call(e), e.version)
        for e in _newest(events, PhoneNumberEvent)
    ]
    if numbers:
        await conn.execute(Q.know_phone_numbers, *columns(numbers, 4))


def _may_call(number: PhoneNumberEvent) -> bool:
    return number.active and number.outbound and not isinstance(number, PhoneNumberDisabled)


def _newest(events: Iterable[Event], kind: type[E]) -> Iterable[E]:
    ours = [event for event in events if isinstance(event, kind)]
    return {event.key: event for event in sorted(ours, key=attrgetter("version"))}.values()
