"""Whoever is asked to stop does so in time, under load, and nobody is lost or given up by it."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest

from tests.faults.storm import EVERY, Requests
from tests.faults.verdict import Run
from tests.house import House, Json, csv_of, numbers, until
from tests.running_up import is_gone

PROMISED = 10
EVERYBODY = ("dialer-1", "projections", "dialer-2", "scheduler", "ingest")
PEOPLE, LIMIT = 160, 30
ENDINGS = ("0001", "0002", "0003", "0004", "0005", "0006")
UNHURRIED: Json = {"ring_seconds": [0.1, 0.5], "talk_seconds": [0.3, 1.0]}


@contextmanager
def somebody_watching(running: House, batch_id: str) -> Iterator[None]:
    """A live stream that its reader never ends."""
    where = urlsplit(running.endpoints["projections"])
    with socket.create_connection((where.hostname, where.port), timeout=30) as stream:
        path = f"/v1/batches/{batch_id}/events"
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        assert b"200 OK" in stream.recv(200)
        yield


def stopped(running: House, part: str) -> None:
    process = psutil.Process(running.kill(part, signal.SIGTERM))
    until(lambda: is_gone(process), f"{part} stopped", PROMISED, EVERY)
    until(lambda: running.is_back(part, process.pid), f"{part} started again", 60, EVERY)


@pytest.mark.timeout(180)
def test_every_service_stops_in_time_under_load_and_nobody_is_lost(running: House) -> None:
    running.prepare(concurrency=LIMIT)
    running.behave(seed=8, **UNHURRIED)
    called, since, requests = numbers(PEOPLE, ENDINGS), running.seq(), Requests(running)
    run = Run(running, running.create(csv_of(called)), called, since, LIMIT)
    with somebody_watching(running, run.batch_id):
        for turn, part in enumerate(EVERYBODY):
            until(lambda: requests.reached(18 * turn + 18), "requests", 60, EVERY)  # noqa: B023
            stopped(running, part)
    run.judge(90)
    people = running.all_of(f"/v1/batches/{run.batch_id}/recipients")
    assert not [person for person in people if person["outcome"] == "unknown"], "given up"


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_every_service_stops_in_time_while_the_broker_does_not_answer(running: House) -> None:
    running.prepare(concurrency=LIMIT)
    running.behave(seed=9, **UNHURRIED)
    called, since, requests = numbers(PEOPLE, ENDINGS), running.seq(), Requests(running)
    run = Run(running, running.create(csv_of(called)), called, since, LIMIT)
    until(lambda: requests.reached(30), "requests", 60, EVERY)
    with running.frozen("kafka"):
        asked = [psutil.Process(running.kill(part, signal.SIGTERM)) for part in EVERYBODY]
        until(lambda: all(map(is_gone, asked)), "all stopped", PROMISED, EVERY)
    run.judge(120)
