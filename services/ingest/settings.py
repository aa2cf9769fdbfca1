"""What ingest is told by its environment."""

import os
from typing import ClassVar

from pydantic import Field

from chassis.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    service: ClassVar[str] = "ingest"

    http_port: int = 8000
    workers: int = Field(default=max(1, min(4, (os.cpu_count() or 1) - 1)), ge=1)
    """Processes that read and check long lists, beside the one that answers."""
