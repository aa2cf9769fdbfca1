"""`rollcall audit`: the guarantees, checked in the log alone; nothing it prints is personal."""

import asyncio
import base64
import gc
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from audit.findings import Findings
from audit.record import Record
from audit.seals import VaultNow, scope_of
from audit.whole import Audit
from chassis.logging import configure
from chassis.postgres import open_pool
from chassis.vault import PostgresVault, batch_scope
from chassis.whole_log import Ends, NoLogError, WholeLog, whole_log
from cli.audit_words import Reading, say_findings
from cli.endpoints import NotRunningError, read
from cli.printing import say_failure
from contracts.batches import BatchDeleted
from contracts.codec import MalformedEventError, UnknownEventError, decode
from contracts.event import Event
from contracts.sealed import Seal
from contracts.topics import BATCHES, TOPICS

WITHIN = 15.0
"""Seconds for the vault to answer."""
KEPT = 4096


class Sources(BaseSettings):
    """What is read: by the environment, else of `rollcall up` on the folder."""

    model_config = SettingsConfigDict(env_prefix="ROLLCALL_", extra="ignore")

    kafka: str
    vault_dsn: SecretStr
    key_encryption_key: SecretStr
    topic_prefix: str = ""


async def audit(data_dir: Path, *, clocks_apart: float, as_json: bool) -> int:
    configure("audit", "console", "error")
    sources = _sources(data_dir)
    began = time.monotonic()
    apart = timedelta(seconds=clocks_apart)
    try:
        async with whole_log(sources.kafka, sources.topic_prefix) as log, _vault(sources) as vault:
            work = Auditing(log, vault, sources.topic_prefix, apart)
            findings = await work.run()
    except NoLogError as error:
        return say_failure(f"There is no log to audit: {error}.", as_json=as_json)
    except KafkaError as error:
        message = f"Kafka does not answer at {sources.kafka} ({error}): see `rollcall doctor`."
        return say_failure(message, as_json=as_json)
    except TimeoutError:
        message = "The vault's database does not answer: see `rollcall doctor`."
        return say_failure(message, as_json=as_json)
    seen = Reading(work.records, time.monotonic() - began)
    say_findings(findings, seen, as_json=as_json)
    return 0 if findings.clean else 1


def _sources(data_dir: Path) -> Sources:
    if "ROLLCALL_KAFKA" in os.environ:
        return Sources()  # of the environment
    said = read(data_dir)
    try:
        return Sources(
            kafka=said["kafka"],
            vault_dsn=said["databases"]["vault"],
            key_encryption_key=SecretStr((data_dir / "key").read_text()),
        )
    except (KeyError, OSError) as error:
        raise NotRunningError(f"{data_dir} is not a folder of `rollcall up`: {error}") from error


@asynccontextmanager
async def _vault(sources: Sources) -> AsyncIterator[PostgresVault]:
    kek = base64.b64decode(sources.key_encryption_key.get_secret_value(), validate=True)
    async with asyncio.timeout(WITHIN):
        dsn = sources.vault_dsn.get_secret_value()
        vault = PostgresVault(await open_pool(dsn, application_name="audit", max_size=1), kek)
    try:
        yield vault
    finally:
        await vault.close()


class Auditing:
    """One audit: the log once through, then what came meanwhile as far as it explains something."""

    def __init__(self, log: WholeLog, vault: PostgresVault, prefix: str, apart: timedelta) -> None:
        self.records = 0
        self._log = log
        self._vault = vault
        self._topics = {prefix + topic.name: topic for topic in TOPICS}
        self._audit = Audit(partition_of, datetime.now(UTC) - apart, apart=apart)
        self._seals: dict[str, Seal | None] = {}

    async def run(self) -> Findings:
        ends = await self._log.ends()
        gc.disable()  # events hold no cycles
        try:
            async for raw in self._log.read(ends):
                await self._take([self._record(record) for record in raw])
                self.records += len(raw)
            return self._audit.judge(await self._vault_now(ends))
        finally:
            gc.enable()

    def _record(self, raw: ConsumerRecord) -> Record:
        topic = self._topics[raw.topic]
        return Record(topic, raw.partition, raw.offset, raw.key, raw.value, raw.headers)

    async def _take(self, records: Iterable[Record]) -> None:
        events = [(record, self._audit.read(record)) for record in records]
        read = [(record, event) for record, event in events if event is not None]
        await self._ask_keys([event for _, event in read])
        for record, event in read:
            self._audit.take(record, event, self._opens)

    async def _ask_keys(self, events: Iterable[Event]) -> None:
        if len(self._seals) > KEPT:
            self._seals.clear()
        scopes = {scope for event in events if (scope := scope_of(event)) is not None}
        unknown = sorted(scopes - self._seals.keys())
        if unknown:
            keys = await self._vault.read_all(unknown)
            self._seals |= {s: Seal(keys[s], s) if s in keys else None for s in unknown}

    def _opens(self, scope: str, sealed: str) -> bool | None:
        seal = self._seals[scope]
        return None if seal is None else seal.text(sealed) is not None

    async def _vault_now(self, ends: Ends) -> VaultNow:
        deleted = self._audit.deleted()
        keys = await self._vault.read_all([batch_scope(batch_id) for batch_id in deleted])
        keyed = frozenset(b for b in deleted if batch_scope(b) in keys)
        return VaultNow(
            keyed, await self._deleted_since(ends) if self._audit.keyless() else frozenset()
        )

    async def _deleted_since(self, ends: Ends) -> frozenset[UUID]:
        """Whose key went while the log was being read."""
        now = await self._log.ends([BATCHES])
        found: set[UUID] = set()
        async for raw in self._log.read(now, since=ends):
            for record in raw:
                try:
                    event = decode(record.value, record.headers)
                except (MalformedEventError, UnknownEventError):
                    continue  # of the next audit
                if isinstance(event, BatchDeleted):
                    found.add(event.batch_id)
        return frozenset(found)


@lru_cache(maxsize=100_000)
def partition_of(key: bytes, partitions: int) -> int:
    """As the producers of our services choose it."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
