"""What a dialer is told by its environment; the waits decide how long an unknown call holds."""

from typing import ClassVar

from pydantic import Field

from chassis.settings import ServiceSettings


class DialerSettings(ServiceSettings):
    service: ClassVar[str] = "dialer"
    http_port: int = 8002

    carrier: str = "simulator"
    carrier_url: str = "http://127.0.0.1:8010"
    callback_url: str = "http://127.0.0.1:8002"
    """Where the carrier reaches this dialer; any other may take its callbacks over."""
    carrier_calls_per_second: float | None = Field(default=None, gt=0)
    """Of all dialers together; None: as fast as the carrier takes them."""

    send_within_seconds: float = Field(default=2, gt=0)
    """From INTENT to the last instant its request may leave."""
    request_timeout_seconds: float = Field(default=10, gt=0)
    overdue_after_seconds: float = Field(default=1, ge=0)
    """Past `send_before`: then an INTENT has been left behind by its dialer."""
    unknown_horizon_seconds: float = Field(default=120, gt=0)
    """A carrier that shows no trace of a call for so long never had it."""
    silence_seconds: float = Field(default=15, gt=0)
    """A live call without news for so long is looked up."""
    number_busy_seconds: float = Field(default=5, gt=0)
    unreachable_seconds: float = Field(default=2, gt=0)
    """How long nobody tries a carrier that could not be connected to."""

    most_requests: int = Field(default=200, gt=0)
    """Requests of one dialer at a time, from INTENT to their answer."""
    most_look_ups: int = Field(default=20, gt=0)
