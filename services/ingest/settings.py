"""What ingest is told by its environment."""

from typing import ClassVar

from chassis.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    service: ClassVar[str] = "ingest"

    http_port: int = 8000
