"""What the scheduler is told by its environment (ROLLCALL_*)."""

from typing import ClassVar

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    service: ClassVar[str] = "scheduler"

    http_port: int = 8003
    accounts_at_once: int = Field(default=4, ge=1)
    """Decisions a process makes at a time, each on up to 25 accounts and on its own connection."""
