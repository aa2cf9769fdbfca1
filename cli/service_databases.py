"""Which database and broker a service works on: the environment's, else those of `rollcall up`."""

import os
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from cli.client import MisusedError
from cli.endpoints import NotRunningError, read

SERVICES: Final = ("ingest", "scheduler", "dialer", "projections")


class Ground(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ROLLCALL_", extra="ignore")

    kafka: str = "127.0.0.1:9092"
    postgres_dsn: SecretStr
    topic_prefix: str = ""


def grounds(folder: Path, service: str | None) -> dict[str, Ground]:
    """Of the service, or of all.  Raises MisusedError, NotRunningError."""
    if "ROLLCALL_POSTGRES_DSN" in os.environ:
        if service is None:
            title = "ROLLCALL_POSTGRES_DSN is one service's: say --service whose it is."
            raise MisusedError(0, {"title": title})
        return {service: Ground()}
    said = read(folder)
    try:
        return {
            name: Ground(kafka=said["kafka"], postgres_dsn=said["databases"][name])
            for name in ([service] if service else SERVICES)
        }
    except KeyError as error:
        raise NotRunningError(f"{folder} is not a folder of `rollcall up`: {error}") from error
