"""After a delete no byte of a batch's people is left: not in Kafka, PostgreSQL or any log.

The search proves itself: it finds all before the delete, and a copy that somebody kept after it.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx2
import pytest

from tests.faults.canary import LONG, found_in, unlike_anything
from tests.faults.conftest import IMPATIENT
from tests.house import ROOT, House, Json, house, until
from tests.life import BRIEF, ENDLESS, SOON, Life

NUMBER, REFUSED = "+12126797083", "+1212679708355"
PEOPLE = 40
LOOKED_FOR = 60
"""Characters, from the first on."""
KEY = "SELECT wrapped FROM keys WHERE scope = $1"


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with house(tmp_path / "data", dialers=1, **IMPATIENT) as opened:
        opened.prepare(concurrency=10)
        opened.behave(**BRIEF)
        living = Life(opened)
        yield living
        living.close()


def canaries() -> dict[str, str]:
    """Each is unlike anything else; the long one stands where databases keep what is large."""
    short = ("person", "variable", "batch", "renamed", "rejected")
    told = {name: f"Zoë{unlike_anything(20)}" for name in short}
    told["transcript"] = f"Hello Ann{unlike_anything(20)}"
    return told | {"number": NUMBER[1:], "bad number": REFUSED[1:], "long": unlike_anything(LONG)}


def entries(told: dict[str, str]) -> list[Json]:
    others: list[Json] = [
        {"phone_number": f"+1212679{7100 + n}", "name": "x"} for n in range(PEOPLE)
    ]
    # Short: what is kept of a long conversation is compressed, and cannot be searched.
    others[0]["name"] = told["transcript"].removeprefix("Hello ")
    variables = {"topic": told["variable"], "story": told["long"]}
    person = {"phone_number": NUMBER, "name": told["person"], "variables": variables}
    return [*others, person, {"phone_number": REFUSED, "name": told["rejected"]}]


async def query(dsn: str, statement: str, *given: object) -> list[asyncpg.Record]:
    conn = await asyncpg.connect(dsn)
    try:
        return list(await conn.fetch(statement, *given))
    finally:
        await conn.close()


def asked(living: House, database: str, statement: str, *given: object) -> list[asyncpg.Record]:
    return asyncio.run(query(living.endpoints["databases"][database], statement, *given))


def rollcall(living: House, *words: str) -> Json:
    said = subprocess.run(
        [sys.executable, "-m", "cli", *words, "--json", "--data-dir", living.folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    return dict(json.loads(said.stdout))


def search(living: House, told: dict[str, str | bytes]) -> Counter[str]:
    """What is ours; the carrier's own ledger of its calls is not."""
    asked(living, "projections", "CHECKPOINT")
    kept = [living.folder / name for name in ("kafka", "postgres", "logs")]
    assert all(folder.is_dir() for folder in kept)
    begins = {name: it[:LOOKED_FOR] for name, it in told.items()}
    return found_in(kept, begins)


def called_with_a_pause_and_a_retry(life: Life, told: dict[str, str]) -> str:
    """The batch, over."""
    uploaded = httpx2.post(
        f"{life.house.endpoints['ingest']}/v1/recipient-lists",
        json={"recipients": entries(told)},
        timeout=60,
    )
    assert uploaded.is_success, uploaded.text
    life.house.behave(**{**ENDLESS, "outcomes": {"no_answer": 1}})
    batch = {"name": told["batch"], "agent_id": "reminders"}
    answer = httpx2.post(
        f"{life.house.endpoints['ingest']}/v1/batches",
        json={**batch, "recipient_list_id": uploaded.json()["list_id"]},
        timeout=60,
    )
    batch_id = life.house.seen(answer)
    life.until(batch_id, status="RUNNING")
    life.done(batch_id, "pause")
    life.done(batch_id, "resume")
    life.over(batch_id, 120)
    life.done(batch_id, "rename", name=told["renamed"])
    life.house.behave(**BRIEF)
    life.done(batch_id, "retry")
    life.over(batch_id, 120)
    return batch_id


def read_in_every_way(living: House, batch_id: str, told: dict[str, str]) -> None:
    at = f"{living.endpoints['projections']}/v1/batches/{batch_id}"
    people = living.read(f"/v1/batches/{batch_id}/recipients", search=told["person"])["data"]
    assert [person["phone_number"] for person in people] == [NUMBER]
    (row,) = living.read(f"/v1/batches/{batch_id}/rejections")["data"]
    assert row["name"] == told["rejected"]
    results = httpx2.get(f"{at}/results.csv", timeout=60).text
    assert told["variable"] in results
    with httpx2.stream("GET", f"{at}/events", timeout=60) as stream:
        assert next(stream.iter_lines())


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_deleted_batch_is_found_nowhere_and_a_copy_kept_of_it_is_found_out(life: Life) -> None:
    living, told = life.house, canaries()
    batch_id = called_with_a_pause_and_a_retry(life, told)
    read_in_every_way(living, batch_id, told)
    wrapped = asked(living, "vault", KEY, f"batch:{batch_id}")
    wanted: dict[str, str | bytes] = {**told, "wrapped key": wrapped[0]["wrapped"]}
    asked(living, "projections", "ANALYZE")
    before = search(living, wanted)
    missed = {name for name in wanted if not before[f"postgres: {name}"]}
    assert not missed, f"the search does not find {missed}"
    assert not [hit for hit in before if not hit.startswith("postgres: ")], before

    asked(living, "projections", f"CREATE TABLE kept AS SELECT '{NUMBER}' AS phone_number")
    deleted = life.ask(batch_id, "delete")
    assert deleted.code in (202, 204), deleted
    until(lambda: life.is_gone(batch_id, deleted), "the batch gone", SOON)
    scope = f"batch:{batch_id}"
    until(lambda: not asked(living, "vault", KEY, scope)[0]["wrapped"], "its key gone", SOON)

    rollcall(living, "scrub")
    assert set(search(living, wanted)) == {"postgres: number"}, "a copy is found out"
    asked(living, "projections", "DROP TABLE kept")
    rollcall(living, "scrub")
    assert search(living, wanted) == Counter(), "nothing is left"
