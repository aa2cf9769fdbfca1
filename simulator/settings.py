"""Everything the environment may say; a wrong value stops the start, not a later call."""

from pathlib import Path

from pydantic import Json
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulator.behaviour import Behaviour


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ROLLCALL_")

    http_host: str = "127.0.0.1"
    http_port: int = 8010
    ledger: Path = Path("ledger.jsonl")
    behaviour: Json[Behaviour] | None = None
