"""Ingest, or its worker, is killed while it reads a list: all of it is there, or nothing."""

import os
import random
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx2
import psutil
import pytest

from tests.faults.storm import EVERY
from tests.faults.verdict import Run
from tests.house import AGENT, QUICK, House, Json, numbers, until
from tests.running_up import is_gone

LISTS = "/v1/recipient-lists"
LIMIT = 50
ROWS = 300_000
BEGUN = "SELECT EXISTS (SELECT FROM uploads WHERE upload_id::text <> ALL ('{}'))"
STAGED = """
    SELECT EXISTS (SELECT FROM list_blocks JOIN uploads USING (upload_id)
                   WHERE upload_id::text <> ALL ('{0}') AND block_no >= 16)
        OR EXISTS (SELECT FROM upload_chunks JOIN uploads USING (upload_id)
                   WHERE upload_id::text <> ALL ('{0}'))
"""
"""Of an upload that was not there before."""
EARLIER = "SELECT coalesce(array_agg(upload_id), '{}')::text FROM uploads"
TIME_PASSES = """
    UPDATE idempotency SET locked_until = clock_timestamp() - interval '1 second'
    WHERE status IS NULL RETURNING true
"""
NEXT_CHUNK = "SELECT coalesce(max(next_chunk), 0) FROM additions WHERE batch_id = '{}'"


@pytest.fixture(autouse=True)
def prepared(running: House) -> None:
    running.prepare(concurrency=LIMIT)
    running.behave(seed=6, **QUICK)


def form(rows: bytes) -> Json:
    return {"files": {"file": ("list.csv", rows, "text/csv")}}


def killed_half_way(
    running: House, victim: str, path: str, moment: str = STAGED, **request: Any
) -> None:
    """Ingest answers nobody any more, and no process of those killed is left."""
    ingest = psutil.Process(running.pid("ingest"))
    workers = [it for it in ingest.children(recursive=True) if "spawn_main" in str(it.cmdline())]
    assert workers
    is_come = moment.format(running.moment("ingest", EARLIER))
    if moment == BEGUN:
        for worker in workers:
            worker.suspend()  # or it might be through before we look
    with ThreadPoolExecutor(1) as pool:
        answer: Future[Any] = pool.submit(running.post, path, **request)
        until(lambda: bool(running.moment("ingest", is_come)), "the moment", 60, EVERY)
        if victim == "ingest":
            os.kill(ingest.pid, signal.SIGKILL)
        else:
            for worker in workers:
                worker.kill()
        through = answer.result() is not None  # another worker may have read it
        assert not through or victim == "worker", "it was through before it was killed"
    until(lambda: all(map(is_gone, workers)), "the workers gone", 10)
    if victim == "ingest":
        until(lambda: running.is_back("ingest", ingest.pid), "ingest started again", 30)
        running.moment("ingest", TIME_PASSES)


def until_answered(running: House, path: str, **request: Any) -> httpx2.Response:
    answers: list[httpx2.Response] = []

    def is_answered() -> bool:
        answers.extend(filter(None, [running.post(path, **request)]))
        return bool(answers)

    until(is_answered, f"an answer to {path}", 60)
    return answers[0]


def counts(said: Json) -> tuple[int, int, int]:
    return said["accepted"], said["rejected"], said["duplicates"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("what", "victim"),
    [
        pytest.param("a new list", "ingest", marks=pytest.mark.chaos),
        ("more rows", "worker"),
        pytest.param("a new list", "worker", marks=pytest.mark.chaos),
        pytest.param("more rows", "ingest", marks=pytest.mark.chaos),
    ],
)
def test_a_list_whose_reader_is_killed_is_whole_when_it_is_sent_again(
    running: House, victim: str, what: str
) -> None:
    rows = b"phone_number,name\n" + b"".join(
        b"+1202%d,Person\n" % (2_000_000 + n) for n in range(ROWS)
    )
    path, before = LISTS, (0, 0, 0)
    if what == "more rows":
        few = running.post(LISTS, json={"recipients": [{"phone": "+12022000000"}]})
        assert few is not None
        path, before = f"{LISTS}/{few.json()['list_id']}/rows", (1, 0, 0)
    request = form(rows) | {"headers": {"Idempotency-Key": f"{what}, {victim} killed"}}
    killed_half_way(running, victim, path, **request)
    if what == "more rows":
        assert counts(running.command("GET", path.removesuffix("/rows"), {})) == before
    answer = until_answered(running, path, **request)
    assert answer.is_success, answer.text
    twins = before[0]
    assert counts(answer.json()) == (ROWS + before[0], 0, twins)
    again = until_answered(running, path, **request)
    assert again.json() == answer.json()
    found = running.command("GET", f"{LISTS}/{answer.json()['list_id']}", {})
    assert found == answer.json()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("victim", [pytest.param("ingest", marks=pytest.mark.chaos), "worker"])
def test_nobody_of_a_list_is_lost_or_called_twice_whoever_is_killed(
    running: House, victim: str
) -> None:
    called, since = numbers(200, ("4004" if victim == "ingest" else "4005",)), running.seq()
    dice = random.Random(4)
    lines = (f"{number},Ann,{dice.randbytes(30_000).hex()}" for number in called)
    rows = "\n".join(["phone_number,name,plan", *lines, ""]).encode()
    prepared = until_answered(running, LISTS, **form(rows)).json()
    body = {"name": "Test", "agent_id": AGENT, "recipient_list_id": prepared["list_id"]}
    request = {"json": body, "headers": {"Idempotency-Key": f"of a list, {victim} killed"}}
    moment = STAGED if victim == "ingest" else BEGUN
    killed_half_way(running, victim, "/v1/batches", moment, **request)
    batch_id = running.seen(until_answered(running, "/v1/batches", **request))
    if victim == "ingest":
        query = NEXT_CHUNK.format(batch_id)
        until(lambda: running.moment("ingest", query) >= 1, "chunks streamed", 60, EVERY)
        killed = running.kill("ingest")
        until(lambda: running.is_back("ingest", killed), "ingest started again", 30)
    Run(running, batch_id, called, since, LIMIT).judge(90)
    assert until_answered(running, "/v1/batches", **request).json()["batch_id"] == batch_id
