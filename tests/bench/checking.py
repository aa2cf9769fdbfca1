"""How soon a long list is parsed, checked and stored, by processes that share one core."""

import csv
import io
import os
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex

import asyncpg
import phonenumbers
import uvloop

from chassis.collecting import collect_seldom
from chassis.ground import lay_ground
from chassis.wake import News
from services.ingest.api.parts import Parts
from services.ingest.app import MIGRATIONS, compose
from services.ingest.intake import Wakes
from services.ingest.lists.opening import Lists
from services.ingest.settings import IngestSettings
from services.ingest.uploading.content import Content
from services.ingest.uploading.sources import Source
from services.ingest.uploading.workers import Workers
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers_of_many_countries
from tests.bench.sizes import Size
from tests.house import House

ROUNDS = 4
"""The first starts a process and counts for little."""


def measure(house: House, size: Size) -> list[Figure]:
    rows = csv_of(numbers_of_many_countries(size.listed_rows))
    collect_seldom()  # as the processes that read lists do
    with one_core():
        ours, theirs = uvloop.run(_in_turns(house, rows))
    return [
        Figure(
            "rows of a list parsed, checked and stored, one core",
            size.listed_rows / min(ours),
            "rows/s",
            size.listed_rows / min(theirs),
            "csv.DictReader, parse and is_valid_number",
            Goal(at_least=6, of_ratio=True),
        )
    ]


async def _in_turns(house: House, rows: bytes) -> tuple[list[float], list[float]]:
    """Seconds of each round: both have the same machine then."""
    ours, theirs = [], []
    async with _composed(house) as parts:
        for _ in range(ROUNDS):
            theirs.append(bare_seconds(rows))
            source = Source(Content(data=rows))
            began = time.monotonic()
            answer = await parts.list_intake.create("default", source, key=None)
            ours.append(time.monotonic() - began)
            if answer.body["rejected"]:
                raise AssertionError("a valid row was rejected")
            await parts.lists.delete("default", answer.body["list_id"])
    return ours, theirs


def bare_seconds(rows: bytes) -> float:
    began, valid = time.monotonic(), 0
    for row in csv.DictReader(io.TextIOWrapper(io.BytesIO(rows), newline="")):
        valid += phonenumbers.is_valid_number(phonenumbers.parse(row["phone_number"]))
    if not valid:
        raise AssertionError("no number is valid")
    return time.monotonic() - began


@contextmanager
def one_core() -> Iterator[None]:
    """For this process and those it starts; PostgreSQL may have the others."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@asynccontextmanager
async def _composed(house: House) -> AsyncIterator[Parts]:
    """Ingest's parts on the house's servers, in databases of their own, without its life."""
    settings = IngestSettings.model_validate(
        {
            "kafka": house.endpoints["kafka"],
            "postgres_dsn": await _database(house),
            "vault_dsn": await _database(house),
            "key_encryption_key": b64encode(os.urandom(32)).decode(),
            "topic_prefix": f"bench.{token_hex(4)}.",
        }
    )
    ground = await lay_ground(settings, MIGRATIONS)
    try:
        wakes = Wakes(_nothing, _nothing, _nothing)
        lists = Lists(ground.pool, ground.vault, ground.seals)
        parts = compose(ground, lambda: True, lists, Workers(1), wakes, News())
        await parts.directory.ensure_account("default")
        yield parts
        await parts.workers.close()
    finally:
        await ground.close()


def _nothing() -> None: ...


async def _database(house: House) -> str:
    name = f"bench_{token_hex(6)}"
    dsn = str(house.endpoints["postgres"])
    admin = await asyncpg.connect(dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    return str(house.endpoints["databases"]["ingest"]).replace("/ingest", f"/{name}")
