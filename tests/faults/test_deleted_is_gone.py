"""After a delete no byte of a batch's people is left: not in Kafka, PostgreSQL or any log.

The search proves itself: it finds all before the delete, a copy that somebody kept after it, and
what a delete has left that keeps a person's row and the key.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import asyncpg
import httpx2
import pytest

from tests.faults.canary import LONG, found_in, unlike_anything
from tests.faults.conftest import IMPATIENT
from tests.faults.mutants import keeping
from tests.house import ROOT, House, Json, house, until
from tests.life import BRIEF, ENDLESS, SOON, Life

NUMBER, REFUSED = "+12126797083", "+1212679708355"
PEOPLE = 40
LOOKED_FOR = 60
"""Characters, from the first on."""
SAID = "SELECT said FROM {}.conversations WHERE said LIKE $1"
KEY = "SELECT wrapped FROM keys WHERE scope = $1"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("gone") / "data"
    with house(folder, dialers=1, **IMPATIENT) as opened:
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
    told |= {name: unlike_anything(20) for name in ("collected", "webhook")}
    return told | {"number": NUMBER[1:], "bad number": REFUSED[1:], "long": unlike_anything(LONG)}


def entries(told: dict[str, str]) -> list[Json]:
    others: list[Json] = [
        {"phone_number": f"+1212679{7100 + n}", "name": "x"} for n in range(PEOPLE)
    ]
    # Short: what is kept of a long conversation is compressed, and cannot be searched.
    others[0]["name"] = told["transcript"].removeprefix("Hello ")
    others[0]["variables"] = {"wish": told["collected"]}
    variables = {"topic": told["variable"], "story": told["long"]}
    person = {"phone_number": NUMBER, "name": told["person"], "variables": variables}
    person["webhook_url"] = f"https://example.com/{told['webhook']}"
    return [*others, person, {"phone_number": REFUSED, "name": told["rejected"]}]


async def query(dsn: str, statement: str, *given: object) -> list[asyncpg.Record]:
    conn = await asyncpg.connect(dsn)
    try:
        return list(await conn.fetch(statement, *given))
    finally:
        await conn.close()


def asked(living: House, database: str, statement: str, *given: object) -> list[asyncpg.Record]:
    return asyncio.run(query(living.endpoints["databases"][database], statement, *given))


def done(living: House, database: str, statements: keeping.Statements) -> None:
    for statement in statements:
        asked(living, database, statement)


def live_model(living: House) -> str:
    """The schema in which the read model is."""
    (row,) = asked(living, "projections", "SELECT number FROM generations WHERE state = 'live'")
    return f"model_{row['number']}"


def write_ahead_log(living: House) -> str:
    (row,) = asked(living, "vault", "SELECT count(*), sum(size)::bigint FROM pg_ls_waldir()")
    return f"{row['count']} files of write-ahead log, {row['sum']} bytes"


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
    said = asked(living, "projections", SAID.format(live_model(living)), f"%{told['collected']}%")
    assert [json.loads(row["said"])["collected"]["wish"] for row in said] == [told["collected"]]


@contextmanager
def followed(living: House, batch_id: str) -> Iterator[Future[list[str]]]:
    """What a follower of the batch is told, from its snapshot to its delete."""

    def follow() -> list[str]:
        at = f"{living.endpoints['projections']}/v1/batches/{batch_id}/events"
        told: list[str] = []
        with httpx2.stream("GET", at, timeout=120) as stream:
            for line in stream.iter_lines():
                told.append(line)
                begun.set()
                if line == "event: deleted":
                    break
        return told

    begun = Event()
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow)
        assert begun.wait(60), "a first line"
        yield following


def deleted(life: Life, batch_id: str) -> None:
    """Nobody can read it, and what every process might remember of its key is over."""
    answer = life.ask(batch_id, "delete")
    assert answer.code in (202, 204), answer
    until(lambda: life.is_gone(batch_id, answer), "the batch gone", SOON)
    scope = f"batch:{batch_id}"
    until(lambda: not asked(life.house, "vault", KEY, scope)[0]["wrapped"], "its key gone", SOON)


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
    missed.remove("webhook")  # nothing reads it, and so it stands nowhere but under seal
    assert not missed, f"the search does not find {missed}"
    assert not [hit for hit in before if not hit.startswith("postgres: ")], before

    asked(living, "projections", f"CREATE TABLE kept AS SELECT '{NUMBER}' AS phone_number")
    with followed(living, batch_id) as following:
        deleted(life, batch_id)
        assert following.result(60)[-1] == "event: deleted"

    for database in ("projections", "vault"):
        asked(living, database, "VACUUM")
    print("a plain VACUUM leaves", dict(search(living, wanted)), "and", write_ahead_log(living))
    rollcall(living, "scrub")
    assert set(search(living, wanted)) == {"postgres: number"}, "a copy is found out"
    asked(living, "projections", "DROP TABLE kept")
    print("scrubbed", rollcall(living, "scrub")["databases"], "and", write_ahead_log(living))
    assert search(living, wanted) == Counter(), "nothing is left"


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_delete_that_keeps_a_persons_row_or_the_key_is_found_out(life: Life) -> None:
    living, number, name = life.house, "+12126797201", unlike_anything(20)
    batch_id = life.create([number], name=name)
    life.over(batch_id, 60)
    wrapped: bytes = asked(living, "vault", KEY, f"batch:{batch_id}")[0]["wrapped"]
    wanted: dict[str, str | bytes] = {"number": number[1:], "batch": name, "wrapped key": wrapped}
    model = live_model(living)
    done(living, "projections", keeping.keeps_the_person(model))
    done(living, "vault", keeping.keeps_the_key())
    deleted(life, batch_id)
    rollcall(living, "scrub")
    assert set(search(living, wanted)) == {"postgres: number", "postgres: wrapped key"}

    done(living, "projections", keeping.lets_the_person_go(model))
    done(living, "vault", keeping.lets_the_key_go())
    rollcall(living, "scrub")
    assert search(living, wanted) == Counter(), "it was the mutants that kept it"
