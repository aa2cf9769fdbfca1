"""What a service is told by its environment (ROLLCALL_*); secrets show in no log and no repr."""

import base64
from typing import ClassVar, Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """A service adds its own fields and names itself."""

    model_config = SettingsConfigDict(env_prefix="ROLLCALL_", extra="ignore")

    service: ClassVar[str]

    kafka: str = "127.0.0.1:9092"
    postgres_dsn: SecretStr
    vault_dsn: SecretStr
    key_encryption_key: SecretStr
    """Base64 of 32 bytes."""

    http_host: str = "127.0.0.1"
    http_port: int

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    topic_prefix: str = ""
    """Topics and consumer groups begin with it: several houses on one broker."""

    @property
    def kek(self) -> bytes:
        return base64.b64decode(self.key_encryption_key.get_secret_value(), validate=True)
