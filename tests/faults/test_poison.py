"""Records that are not ours, on every topic: each reader lists them, none of them is held up.

One of ours that cannot be applied holds up its batch alone, until it is mended and replayed.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import asyncpg
import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from contracts.ids import batch_id_of
from contracts.topics import TOPICS, Topic
from services.dialer import app as dialer
from services.ingest import app as ingest
from services.scheduler import rebuilding as scheduler
from tests.faults.conftest import IMPATIENT
from tests.house import ROOT, House, Json, csv_of, house, numbers, until

READ: dict[str, tuple[Topic, ...]] = {
    "ingest": ingest.TOPICS,
    "scheduler": scheduler.READ,
    "dialer": dialer.TOPICS,
    "projections": TOPICS,
}
UNMARKED = [("x-from", b"somewhere +442079460999")]
Foreign = tuple[str, bytes | None, list[tuple[str, bytes]]]
NOT_OURS: list[tuple[bytes | None, list[tuple[str, bytes]]]] = [
    (b"+442079460999", []),
    (None, []),
    (b"{}", [("ce_type", b"")]),
    (b"{}", [("ce_type", b"\xff\xfe")]),
    (b"\x00\xff", [("ce_type", b"rollcall.BatchCreated.v1")]),
    (b"[]", [("ce_type", b"rollcall.CallCompleted.v1")]),
    (b"[" * 100_000, [("ce_type", b"rollcall.CallCompleted.v1")]),
    (b"{}", [("ce_type", b"rollcall.CallCompleted.v0")]),
    (b"{}", [("ce_type", b"rollcall.BatchCreated.v" + b"9" * 5000)]),
    (b'{"phone_number": "+442079460999"}', [*UNMARKED]),
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Of its own: what is written here would be a breach to any audit of the shared one."""
    with house(tmp_path_factory.mktemp("poison") / "data", dialers=1, **IMPATIENT) as running:
        running.prepare(concurrency=10)
        yield running


def dead_letters(running: House, *words: str) -> tuple[int, Json]:
    said = subprocess.run(
        [
            sys.executable,
            "-m",
            "cli",
            "dead-letters",
            *words,
            "--json",
            "--data-dir",
            running.folder,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return said.returncode, dict(json.loads(said.stdout))


async def written(kafka: str, records: list[Foreign]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for topic, value, headers in records:
            await producer.send_and_wait(
                topic, value, key=b"not ours", headers=headers, partition=0
            )
    finally:
        await producer.stop()


async def in_database(running: House, service: str, statement: str) -> None:
    conn = await asyncpg.connect(running.endpoints["databases"][service])
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_a_batch_that_could_not_be_applied_is_called_to_its_end_once_it_is_replayed(
    opened: House,
) -> None:
    batch_id = str(batch_id_of("default", "poison"))
    bar = f"CHECK (batch_id <> '{batch_id}')"
    asyncio.run(in_database(opened, "scheduler", f"ALTER TABLE batches ADD CONSTRAINT bad {bar}"))
    before = opened.seq()
    called = numbers(30, ("0200",))
    answer = opened.upload(csv_of(called[:15]), {"Idempotency-Key": "poison"})
    assert opened.seen(answer) == batch_id
    other = opened.create(csv_of(called[15:]))
    assert opened.until_over(other, 60)["status"] == "COMPLETED", "the others go on"

    code, found = dead_letters(opened, "list", "--service", "scheduler")
    (letter,) = found["data"]
    assert (letter["service"], letter["batch_id"]) == ("scheduler", batch_id)
    assert letter["held"] >= 2, "its creation, its people"
    code, said = dead_letters(opened, "replay", "--all", "--service", "scheduler")
    assert (code, said["data"][0]["state"]) == (1, "waiting"), "nothing is mended yet"

    asyncio.run(in_database(opened, "scheduler", "ALTER TABLE batches DROP CONSTRAINT bad"))
    code, said = dead_letters(opened, "replay", letter["id"])
    assert (code, said["data"][0]["state"]) == (0, "replayed")
    assert opened.until_over(batch_id, 60)["status"] == "COMPLETED"
    requests = Counter(entry["to"] for entry in opened.ledger(after=before).of("request"))
    assert requests == dict.fromkeys(called, 1)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_what_is_not_ours_is_listed_by_every_reader_of_its_topic_and_holds_up_nobody(
    opened: House,
) -> None:
    records = [(topic.name, *record) for topic in TOPICS for record in NOT_OURS]
    asyncio.run(written(opened.endpoints["kafka"], records))
    called = numbers(12, ("0100",))
    batch_id = opened.create(csv_of(called))
    assert opened.until_over(batch_id, 60)["status"] == "COMPLETED"

    expected = {(service, topic.name) for service in READ for topic in READ[service]}
    met: Counter[tuple[str, str]] = Counter()

    def all_met() -> bool:
        _, found = dead_letters(opened, "list")
        met.clear()
        met.update((row["service"], row["id"].split(":")[0]) for row in found["data"])
        assert "442079460999" not in json.dumps(found)
        return sum(met.values()) == len(NOT_OURS) * len(expected)

    until(all_met, "every one met by every reader", 60, every=1)
    assert met == dict.fromkeys(expected, len(NOT_OURS))
    for name in ("ingest", "scheduler", "projections"):
        metrics = httpx2.get(f"{opened.endpoints[name]}/metrics").text
        counted = [line for line in metrics.splitlines() if "dead_letters_total{" in line]
        assert sum(float(line.split()[-1]) for line in counted) == sum(
            count for (service, _), count in met.items() if service == name
        )
    shown_and_replayed(opened)


def shown_and_replayed(opened: House) -> None:
    letter = f"{TOPICS[1].name}:0:"
    _, found = dead_letters(opened, "list", "--service", "ingest")
    ids = [row["id"] for row in found["data"] if row["id"].startswith(letter)]
    code, shown = dead_letters(opened, "show", ids[-1])
    assert (code, shown["record"]["headers"]) == (0, {"x-from": "23 bytes"})
    assert "442079460999" not in json.dumps(shown)
    code, shown = dead_letters(opened, "show", ids[-1], "--content")
    assert shown["record"]["content"] == {"phone_number": "+442079460999"}
    code, said = dead_letters(opened, "replay", ids[-1], "--service", "ingest")
    assert code == 1
    assert [(row["state"], row["times"]) for row in said["data"]] == [("waiting", 2)]
