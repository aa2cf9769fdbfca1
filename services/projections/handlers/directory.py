"""What an account has: of each entry the highest version is all that counts."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from chassis.postgres import Connection
from contracts.directory import (
    AccountConfigured,
    AgentEvent,
    DirectoryEvent,
    PhoneNumberEvent,
    SuppressionAdded,
    SuppressionEvent,
)
from contracts.event import Event
from services.projections.domain.account import Configuration
from services.projections.handlers.rows import write
from services.projections.store import FOLDS

E = TypeVar("E", bound=DirectoryEvent)


async def fold_directory(conn: Connection, events: Sequence[Event]) -> None:
    told = [event for event in events if isinstance(event, DirectoryEvent)]
    accounts = _newest(event for event in told if isinstance(event, AccountConfigured))
    agents = _newest(event for event in told if isinstance(event, AgentEvent))
    numbers = _newest(event for event in told if isinstance(event, PhoneNumberEvent))
    suppressions = _newest(event for event in told if isinstance(event, SuppressionEvent))
    await write(conn, FOLDS.fold_accounts, [_account(e) for e in accounts])
    await write(
        conn,
        FOLDS.fold_agents,
        [(e.account_id, e.agent_id, e.version, e.name, e.phone_number, e.active) for e in agents],
    )
    await write(
        conn,
        FOLDS.fold_phone_numbers,
        [(e.account_id, e.phone_number, e.version, e.outbound, e.active) for e in numbers],
    )
    await write(conn, FOLDS.fold_suppressions, [_suppression(e) for e in suppressions])


def _account(event: AccountConfigured) -> tuple[str, int, str]:
    configuration = Configuration.model_validate(event, from_attributes=True)
    return event.account_id, event.version, configuration.model_dump_json()


def _suppression(event: SuppressionEvent) -> tuple[str, str, int, bool, datetime | None]:
    active = isinstance(event, SuppressionAdded)
    return event.account_id, event.digest, event.version, active, event.expires_at


def _newest(events: Iterable[E]) -> list[E]:
    newest: dict[Hashable, E] = {}
    for event in events:
        known = newest.get(event.key)
        if known is None or known.version < event.version:
            newest[event.key] = event
    return list(newest.values())
