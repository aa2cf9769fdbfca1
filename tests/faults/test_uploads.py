"""Ingest is killed while it takes a list in: the list becomes a whole batch or none at all."""

import io
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.faults.storm import EVERY
from tests.faults.verdict import Run
from tests.house import QUICK, House, csv_of, numbers, until

LIMIT = 50
STAGED = "SELECT count(*) > 0 FROM upload_chunks"
NEXT_CHUNK = "SELECT coalesce(max(next_chunk), 0) FROM additions WHERE batch_id = '{}'"


@pytest.fixture(autouse=True)
def prepared(running: House) -> None:
    running.prepare(concurrency=LIMIT)
    running.behave(seed=5, **QUICK)


def long_rows(called: list[str]) -> bytes:
    """Rows of about 20 KB, so that few of them are many chunks."""
    lines = (f"{number},Person {n},{'plan ' * 4000}" for n, number in enumerate(called, 1))
    return "\n".join(["phone_number,name,plan", *lines, ""]).encode()


def taken(running: House, rows: bytes, key: dict[str, str], **batch: object) -> str | None:
    """The batch's id; None while there is nobody to answer, or the key is held by one who died."""
    try:
        answer = running.upload(rows, key, **batch)
    except httpx2.TransportError:
        return None
    if answer.status_code in (httpx2.codes.CONFLICT, httpx2.codes.SERVICE_UNAVAILABLE):
        return None
    assert answer.status_code == httpx2.codes.ACCEPTED, answer.text
    return running.seen(answer)


def until_taken(running: House, rows: bytes, key: dict[str, str], **batch: object) -> str:
    made: list[str] = []

    def is_taken() -> bool:
        made.extend(filter(None, [taken(running, rows, key, **batch)]))
        return bool(made)

    until(is_taken, "the list taken", 120)
    return made[0]


def batches(running: House) -> set[str]:
    return {batch["batch_id"] for batch in running.all_of("/v1/batches")}


@pytest.mark.timeout(240)
def test_killed_in_the_middle_of_a_file_ingest_leaves_no_batch(running: House) -> None:
    called, key = numbers(60, ("4001",)), {"Idempotency-Key": "cut short"}
    rows = long_rows(called)

    class CutShort(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > len(rows) // 2 and not killed:
                killed.append(running.kill("ingest"))
            return super().read(size)

    killed: list[int] = []
    before = batches(running)
    with pytest.raises(httpx2.TransportError):
        running.upload(CutShort(rows), key)
    assert batches(running) == before
    since = running.seq()
    Run(running, until_taken(running, rows, key), called, since, LIMIT).judge(60)
    assert len(batches(running)) == len(before) + 1


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_no_chunk_is_lost_when_ingest_is_killed_while_it_streams(running: House) -> None:
    called, since = numbers(250, ("4002",)), running.seq()
    batch_id = running.upload(long_rows(called)).json()["batch_id"]
    for chunks in (0, 4):
        query = NEXT_CHUNK.format(batch_id)
        until(lambda: running.moment("ingest", query) >= chunks, "chunks", 60, EVERY)  # noqa: B023
        killed = running.kill("ingest")
        until(lambda: running.is_back("ingest", killed), "ingest started again", 30)  # noqa: B023
    Run(running, batch_id, called, since, LIMIT).judge(90)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_killed_while_it_stages_rows_the_same_key_makes_one_whole_batch(running: House) -> None:
    called, key = numbers(12_000, ("4003",)), {"Idempotency-Key": "staged"}
    rows = csv_of(called)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(taken, running, rows, key, start=False)
        until(lambda: bool(running.moment("ingest", STAGED)), "rows staged", 60, EVERY)
        running.kill("ingest")
        assert first.result() is None
    batch_id = until_taken(running, rows, key, start=False)

    def landed() -> bool:
        batch = running.read(f"/v1/batches/{batch_id}")
        return (batch["phase"], batch["recipients"]["total"]) == ("waiting_for_start", len(called))

    until(landed, "all of it landed", 60)
    people = running.all_of(f"/v1/batches/{batch_id}/recipients")
    assert [person["phone_number"] for person in people] == called
