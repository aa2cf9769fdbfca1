"""One create request a call: it leaves in time or not at all, and once."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from contracts.outcomes import Outcome
from services.dialer import clock
from services.dialer.carriers.once import Answered
from services.dialer.carriers.outcomes import outcome_of
from services.dialer.carriers.port import (
    Ambiguous,
    Answer,
    LookUpError,
    NotACallbackError,
    Order,
    Overloaded,
    Placed,
    Refused,
    Unauthorized,
    Unsent,
)
from services.dialer.carriers.simulator import Simulator, answer_of

ORDER = Order(
    call_id=UUID(int=1),
    agent_id="agent",
    from_number="+12025550100",
    max_duration_seconds=60,
    to="+12025550199",
    variables={"name": "Ann"},
)
CREATED = b'HTTP/1.1 201 Created\r\nContent-Length: 25\r\n\r\n{"carrier_call_id":"abc"}'
MOVED = b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A carrier of which only the wire is looked at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@asynccontextmanager
async def carrier_at(listening: socket.socket) -> AsyncIterator[Simulator]:
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    carrier = Simulator(url=url, callback_url=url, request_timeout=5)
    try:
        yield carrier
    finally:
        await carrier.close()


async def test_what_is_too_late_is_not_written(listener: socket.socket) -> None:
    async with carrier_at(listener) as carrier:
        answer = await carrier.place(ORDER, clock.before(clock.now() - 0.001))
    connection, _ = listener.accept()
    with connection:
        assert answer == Unsent(unreachable=False)
        assert connection.recv(1) == b""


async def test_between_the_clock_and_the_wire_nothing_else_runs(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    seen: list[bytes] = []

    def may_send() -> bool:
        connection, _ = listener.accept()

        def next_to_run() -> None:
            seen.append(connection.recv(65536, socket.MSG_DONTWAIT))
            connection.send(CREATED)
            connection.close()

        loop.call_soon(next_to_run)
        return True

    async with carrier_at(listener) as carrier:
        assert await carrier.place(ORDER, may_send) == Placed("abc")
    (request,) = seen
    assert request.startswith(b"POST /calls ")
    assert request.endswith(b"}")  # head and body, in one piece


async def test_a_request_is_not_repeated_where_the_carrier_points_to(
    listener: socket.socket,
) -> None:
    loop = asyncio.get_running_loop()
    async with carrier_at(listener) as carrier:
        placing = asyncio.create_task(carrier.place(ORDER, lambda: True))
        connection, _ = await loop.sock_accept(listener)
        with connection:
            assert await loop.sock_recv(connection, 65536)
            await loop.sock_sendall(connection, MOVED)
            assert await placing == Ambiguous("http_307")


async def test_an_answer_that_breaks_off_leaves_it_open(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    async with carrier_at(listener) as carrier:
        placing = asyncio.create_task(carrier.place(ORDER, lambda: True))
        connection, _ = await loop.sock_accept(listener)
        with connection:
            assert await loop.sock_recv(connection, 65536)
        assert isinstance(await placing, Ambiguous)


async def test_where_there_is_no_connection_nothing_was_sent(listener: socket.socket) -> None:
    async with carrier_at(listener) as carrier:
        listener.close()
        assert await carrier.place(ORDER, lambda: True) == Unsent(unreachable=True)
        with pytest.raises(LookUpError):
            await carrier.look_up(ORDER.call_id, to=None, from_number=None, since=None)


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (201, b'{"carrier_call_id": "abc"}', Placed("abc")),
        (201, b"{}", Ambiguous("no_carrier_call_id")),
        (200, b'{"carrier_call_id": "abc"}', Ambiguous("http_200")),
        (302, b"", Ambiguous("http_302")),
        (400, b"", Refused(Outcome.FAILED, "http_400")),
        (401, b"", Unauthorized()),
        (403, b"", Unauthorized()),
        (408, b"", Ambiguous("http_408")),
        (409, b"", Ambiguous("http_409")),
        (429, b"", Overloaded(7.0)),
        (500, b"", Ambiguous("http_500")),
        (503, b"", Ambiguous("http_503")),
    ],
)
def test_only_a_word_that_leaves_no_doubt_counts(status: int, body: bytes, answer: Answer) -> None:
    assert answer_of(Answered(status, {"Retry-After": "7"}, body)) == answer


@pytest.mark.parametrize(
    ("sip_code", "answered_by", "outcome"),
    [
        (200, "human", Outcome.COMPLETED),
        (200, "machine", Outcome.VOICEMAIL),
        (404, None, Outcome.INVALID),
        (408, None, Outcome.NO_ANSWER),
        (480, None, Outcome.NO_ANSWER),
        (484, None, Outcome.INVALID),
        (486, None, Outcome.BUSY),
        (487, None, Outcome.NO_ANSWER),
        (503, None, Outcome.FAILED),
        (603, None, Outcome.DECLINED),
        (604, None, Outcome.INVALID),
        (None, None, Outcome.FAILED),
        (200, None, Outcome.FAILED),
    ],
)
def test_every_code_has_its_outcome(
    sip_code: int | None, answered_by: str | None, outcome: Outcome
) -> None:
    assert outcome_of(sip_code, answered_by)[0] is outcome


SAID = {
    "carrier_call_id": "sim-1",
    "call_id": str(UUID(int=1)),
    "event": "ended",
    "at": "2026-03-02T12:00:00+01:00",
    "answered_by": "human",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "0001-01-01T00:00:00+23:59"),
        ("at", "9999-12-31T23:59:59-23:59"),
        ("answered_by", "human\0"),
        ("answered_by", "h" * 201),
        ("carrier_call_id", ""),
        ("carrier_call_id", "sim\n1"),
        ("sip_code", 10**30),
        ("duration", 1e300),
        ("recording_url", "http://127.0.0.1/\0"),
        ("transcript", [{"+12025550199": 1}]),
    ],
)
async def test_what_no_database_could_take_is_no_callback(
    listener: socket.socket, field: str, value: object
) -> None:
    async with carrier_at(listener) as carrier:
        _, seen = carrier.heard(json.dumps(SAID).encode())
        assert seen.ending is not None
        assert seen.ending.at == datetime(2026, 3, 2, 11, tzinfo=UTC)
        with pytest.raises(NotACallbackError) as refused:
            carrier.heard(json.dumps({**SAID, field: value}).encode())
    assert str(refused.value) == field


@pytest.mark.parametrize("body", [b"", b"{}", b'{"call_id": "+12025550199"}'])
async def test_what_is_no_callback_is_refused_without_repeating_it(
    listener: socket.socket, body: bytes
) -> None:
    async with carrier_at(listener) as carrier:
        with pytest.raises(NotACallbackError) as refused:
            carrier.heard(body)
    assert "+1202" not in str(refused.value)


def test_an_order_shows_nobody_s_number() -> None:
    assert "+12025550199" not in repr(ORDER)
    assert "Ann" not in repr(ORDER)
