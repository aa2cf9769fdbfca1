"""Entries of the directory as they are answered: all of what was put, and whose it is."""

from pydantic import BaseModel, ConfigDict

from contracts.calendar import Window


class Answer(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class AccountAnswer(Answer):
    account_id: str
    concurrency: int
    """Calls in flight at a time, over all batches."""
    default_window: Window | None
    """For batches that name none; null: each has to name one."""
    allowed_regions: tuple[str, ...] | None
    """ISO 3166 countries that may be called; null: all."""


class AgentAnswer(Answer):
    agent_id: str
    name: str
    phone_number: str | None
    """What it calls from where a batch names no other; E.164."""
    active: bool
    webhook_url: str | None


class PhoneNumberAnswer(Answer):
    phone_number: str
    outbound: bool
    """Whether calls may leave from it."""
    active: bool
