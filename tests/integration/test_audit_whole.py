"""`rollcall audit` on a real log: it reads all there is, and its exit code can be believed."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from chassis.producer import Producer
from chassis.topics import ensure_topics
from chassis.vault import PostgresVault
from contracts import calls
from contracts.codec import encode
from contracts.event import Event
from contracts.topics import TOPIC_OF
from tests.house import ROOT
from tests.log_to_audit import DELETED, SEALS, house_log, person
from tests.read_side import databases

KEK = bytes(32)
Json = dict[str, Any]


@pytest.fixture
async def sources(
    kafka: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, str]]:
    """Topics of its own and the vault that goes with the log: the environment of an audit."""
    monkeypatch.setattr("chassis.vault.new_key", lambda: bytes(32))
    async with databases(postgres, 1) as (dsn,):
        vault = await PostgresVault.open(dsn, KEK, application_name="test")
        for scope in SEALS:
            await vault.create(scope)
        await vault.destroy(f"batch:{DELETED}")
        await vault.close()
        prefix = f"t{uuid4().hex[:10]}."
        await ensure_topics(kafka, prefix)
        yield {
            "ROLLCALL_KAFKA": kafka,
            "ROLLCALL_TOPIC_PREFIX": prefix,
            "ROLLCALL_VAULT_DSN": dsn,
            "ROLLCALL_KEY_ENCRYPTION_KEY": base64.b64encode(KEK).decode(),
        }


async def log(sources: dict[str, str], events: list[Event]) -> None:
    producer = Producer(sources["ROLLCALL_KAFKA"], prefix=sources["ROLLCALL_TOPIC_PREFIX"])
    await producer.start()
    topics = [TOPIC_OF[type(event)] for event in events]
    records = [
        (topic.name, encode(event, source=topic.writer))
        for topic, event in zip(topics, events, strict=True)
    ]
    assert set(await producer.send_all(records)) == {None}
    await producer.stop()


def audit(sources: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "audit", *words],
        cwd=ROOT,
        env={**os.environ, **sources},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_log_is_read_whole_and_found_clean(sources: dict[str, str]) -> None:
    told = house_log()
    await log(sources, [*told, *told[:10]])
    said = audit(sources, "--json")
    found: Json = json.loads(said.stdout)
    assert said.returncode == 0, found["breaches"]
    assert (found["ok"], found["records"], found["repeated"]) == (True, len(told) + 10, 10)
    assert all(check["examined"] for check in found["checks"])


async def test_a_breach_is_exit_code_1_and_named_with_its_events(sources: dict[str, str]) -> None:
    told = house_log()
    (unannounced,) = (
        event
        for event in told
        if isinstance(event, calls.CallPlacing) and event.recipient_id == person(1)
    )
    await log(sources, [event for event in told if event is not unannounced])
    said = audit(sources, "--json")
    assert said.returncode == 1
    (breach,) = json.loads(said.stdout)["breaches"]
    assert breach["check"] == "announced"
    assert [event["type"] for event in breach["events"]] == ["rollcall.CallStarted.v1"]


async def test_a_lost_key_is_a_breach(sources: dict[str, str]) -> None:
    told = house_log()
    await log(sources, [event for event in told if "Deleted" not in type(event).__name__])
    said = audit(sources)
    assert said.returncode == 1
    assert "breach of seals: the key of a batch that nobody deleted is gone" in said.stdout
    assert "rollcall.BatchCreated.v1 " in said.stdout
    assert said.stdout.rstrip().endswith("breached")


async def test_without_a_log_it_says_what_is_missing(sources: dict[str, str]) -> None:
    elsewhere = audit(sources | {"ROLLCALL_TOPIC_PREFIX": "none."})
    assert elsewhere.returncode == 1
    assert "There is no log to audit" in elsewhere.stderr
    nowhere = audit(sources | {"ROLLCALL_KAFKA": "127.0.0.1:1"})
    assert nowhere.returncode == 1
    assert "Kafka does not answer at 127.0.0.1:1" in nowhere.stderr
    assert "Traceback" not in elsewhere.stderr + nowhere.stderr
