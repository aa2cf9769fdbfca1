"""What the read side is told by its environment."""

from typing import ClassVar

from pydantic import Field

from chassis.settings import ServiceSettings


class ProjectionsSettings(ServiceSettings):
    service: ClassVar[str] = "projections"

    http_port: int = 8001
    visible_within_seconds: float = Field(default=5, gt=0)
    """How long a read waits for the position it names."""
    heartbeat_seconds: float = Field(default=15, gt=0)
    """How long a live stream is silent before it says that it is still there."""
    unread_for_seconds: float = Field(default=10, gt=0)
    """How long somebody may leave a live stream unread before it is ended."""
