"""Only a batch that can run is created: agent, caller id, window and times are right or refused.

Every fault of a request is said at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.batches import Addition, BatchCreated
from contracts.calendar import Window
from contracts.directory import (
    AccountConfigured,
    AgentEvent,
    PhoneNumberEvent,
)
from contracts.ids import command_id_of
from contracts.sealed import FieldError
from services.ingest.domain.requests import BatchRequest
from services.ingest.reading.policy import Policy

FARTHEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Directory:
    """What of an account's directory a request may name."""

    account: AccountConfigured
    agent: AgentEvent | None
    numbers: Mapping[str, PhoneNumberEvent]
    has_list: bool = True
    """Whether the list that the request names is there."""

    @property
    def caller_ids(self) -> frozenset[str]:
        return frozenset(
            number.phone_number
            for number in self.numbers.values()
            if number.active and number.outbound
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed: nothing of it is open any more."""

    batch_id: UUID
    account_id: str
    request: BatchRequest
    from_number: str
    window: Window
    policy: Policy
    """What each row is judged by."""
    at_once: int
    """The calls that the account may have and the batch does not leave to others."""


class RefusedError(Exception):
    """The request cannot be granted; each fault with its field."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(errors[0].code)
        self.errors = errors


def agree(
    request: BatchRequest, directory: Directory, policy: Policy, *, batch_id: UUID, at: datetime
) -> Terms:
    """The terms of the batch.  Raises RefusedError."""
    from_number = caller_id(request, directory.agent)
    window = request.window or directory.account.default_window
    errors = [
        *_of_agent(directory.agent),
        *_of_caller_id(from_number, directory),
        *([] if window else [_WINDOW_REQUIRED]),
        *_of_times(request, at),
        *_of_concurrency(request, directory.account),
        *([] if directory.has_list else [LIST_NOT_FOUND]),
    ]
    if errors or window is None or from_number is None:
        raise RefusedError(errors)
    account_id = directory.account.account_id
    at_once = directory.account.concurrency - request.reserved_concurrency
    return Terms(batch_id, account_id, request, from_number, window, policy, at_once)


def caller_id(request: BatchRequest, agent: AgentEvent | None) -> str | None:
    if request.from_number is not None:
        return request.from_number
    return agent.phone_number if agent else None


def created(
    terms: Terms, addition: Addition, *, sealed_name: str, actor: str, at: datetime
) -> BatchCreated:
    request = terms.request
    return BatchCreated(
        account_id=terms.account_id,
        at=at,
        batch_id=terms.batch_id,
        command_no=1,
        command_id=command_id_of(terms.batch_id, 1),
        actor=actor,
        name=sealed_name,
        agent_id=request.agent_id,
        from_number=terms.from_number,
        window=terms.window,
        scheduled_at=request.scheduled_at,
        expires_at=request.expires_at,
        start=request.start,
        reserved_concurrency=request.reserved_concurrency,
        retry_policy=request.retry_policy.policy(),
        on_invalid=request.on_invalid,
        addition=addition,
    )


def _of_agent(agent: AgentEvent | None) -> list[FieldError]:
    if agent is None:
        return [_error("agent_id", "agent_not_found", "Register the agent first, or name another.")]
    if not agent.active:
        return [_error("agent_id", "agent_inactive", "Activate the agent first, or name another.")]
    return []


def _of_caller_id(from_number: str | None, directory: Directory) -> list[FieldError]:
    if from_number is None:
        if directory.agent is None:
            return []
        message = "Name a from_number; the agent has no number of its own."
        return [_error("from_number", "from_number_not_found", message)]
    number = directory.numbers.get(from_number)
    if number is None or not number.active:
        message = "Name one of the account's numbers, or register this one first."
        return [_error("from_number", "from_number_not_found", message)]
    if not number.outbound:
        message = "Name a number that may place calls."
        return [_error("from_number", "from_number_not_outbound", message)]
    return []


def _of_times(request: BatchRequest, at: datetime) -> list[FieldError]:
    errors = []
    start = request.scheduled_at
    if start is not None and start < at:
        message = "Name a later instant, or leave it out to start now."
        errors.append(_error("scheduled_at", "scheduled_at_in_past", message))
    if start is not None and start > at + FARTHEST:
        message = "Name an instant within the next 30 days."
        errors.append(_error("scheduled_at", "scheduled_at_too_far", message))
    if request.expires_at is not None and request.expires_at <= max(at, start or at):
        message = "Let the batch expire later than it starts."
        errors.append(_error("expires_at", "field_invalid", message))
    return errors


def _of_concurrency(request: BatchRequest, account: AccountConfigured) -> list[FieldError]:
    if request.reserved_concurrency < account.concurrency:
        return []
    message = f"Reserve fewer than the account's {account.concurrency} slots."
    return [_error("reserved_concurrency", "field_invalid", message)]


def _error(field: str, code: str, message: str) -> FieldError:
    return FieldError(field=field, code=code, message=message)


_WINDOW_REQUIRED = _error(
    "window", "window_required", "Give a window, or configure the account's default_window."
)
LIST_TOO_MANY = _error(
    "recipient_list_id", "field_invalid", "Name a list or send recipients, not both."
)
LIST_NOT_FOUND = _error("recipient_list_id", "list_not_found", "Name a list of this account.")
