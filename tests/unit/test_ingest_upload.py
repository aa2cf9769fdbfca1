"""Whatever is wrong with a body, its sender is told what to do, and nothing of it is told back."""

import json
from collections.abc import Iterator

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from chassis import problems
from services.ingest.api import faults
from services.ingest.api.upload import BATCH as PARTS
from services.ingest.api.upload import FIELD_BYTES, MOST_BYTES, TOO_LARGE, sent_in
from services.ingest.domain.requests import AccountRequest, AgentRequest
from services.ingest.uploading.submission import batch_of
from services.ingest.uploading.workers import Workers

BATCH = {"name": "Reminders", "agent_id": "a1"}
FORM = "multipart/form-data; boundary=b"


def an_app() -> FastAPI:
    app = FastAPI()
    problems.install(app)
    faults.install(app)
    app.add_middleware(problems.BodyLimit, most=MOST_BYTES, detail=TOO_LARGE)

    @app.post("/batches")
    async def create(request: Request) -> str:
        async with sent_in(request, PARTS) as sent:
            submission = await batch_of(sent, Workers(1))
            return str(submission.request.name)

    @app.put("/account")
    async def configure(_: AccountRequest) -> None: ...

    @app.put("/agent")
    async def register(_: AgentRequest) -> None: ...

    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(an_app()) as client:
        yield client


def a_part(content: str, disposition: str) -> bytes:
    return f"--b\r\nContent-Disposition: form-data{disposition}\r\n\r\n{content}\r\n".encode()


def a_form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


def send(client: TestClient, body: bytes, kind: str = FORM) -> httpx2.Response:
    answer: httpx2.Response = client.post("/batches", content=body, headers={"content-type": kind})
    return answer


GOOD = a_part(json.dumps(BATCH), '; name="batch"')
UNREADABLE = {
    "no boundary": (a_form(GOOD), "multipart/form-data"),
    "an empty boundary": (a_form(GOOD), "multipart/form-data; boundary="),
    "another boundary": (a_form(GOOD), "multipart/form-data; boundary=c"),
    "a part without a name": (a_form(GOOD, a_part("x", "")), FORM),
    "cut after its first part": (GOOD, FORM),
    "cut in a part": (a_form(GOOD, a_part("x", '; name="file"; filename="f"'))[:-9], FORM),
    "a codec that makes no text": (a_form(GOOD), f"{FORM}; charset=punycode"),
    "a codec of half characters": (a_form(GOOD), f"{FORM}; charset=utf-7"),
    "a codec that nobody knows": (a_form(GOOD), f"{FORM}; charset=x-y"),
    "too many parts": (a_form(*[a_part("x", f'; name="f{n}"') for n in range(9)]), FORM),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_form_that_cannot_be_read_is_answered_with_how_to_send_one(
    client: TestClient, what: str
) -> None:
    answer = send(client, *UNREADABLE[what])
    assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid")
    assert "multipart/form-data" in answer.json()["detail"]


@pytest.mark.parametrize("disposition", ['; name="batch"', '; name="batch"; filename="b.json"'])
def test_a_batch_part_that_is_too_large_is_told_how_large_it_may_be(
    client: TestClient, disposition: str
) -> None:
    fitting = json.dumps(BATCH).ljust(FIELD_BYTES)
    assert send(client, a_form(a_part(fitting, disposition))).status_code == 200
    answer = send(client, a_form(a_part(fitting + " ", disposition)))
    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert "1 MB" in answer.json()["detail"]


@pytest.mark.parametrize("size", [50 * 1024 * 1024 + 1, MOST_BYTES + 1])
def test_too_large_a_body_is_told_the_one_limit_there_is(client: TestClient, size: int) -> None:
    answer = send(client, b"{}".ljust(size), "application/json")
    assert answer.status_code == 413
    assert "(50 MB)" in answer.json()["detail"]


@pytest.mark.parametrize(
    "kind", ["Multipart/Form-Data; boundary=b", "MULTIPART/FORM-DATA;boundary=b"]
)
def test_a_form_is_a_form_in_capitals_too(client: TestClient, kind: str) -> None:
    assert send(client, a_form(GOOD), kind).status_code == 200


def test_a_byte_order_mark_is_passed_over(client: TestClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(BATCH).encode()
    assert send(client, body, "application/json").status_code == 200


def test_a_lone_surrogate_is_no_name(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    answer = client.put("/agent", content=rb'{"name": "A\ud800"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]
    answer = send(client, rb'{"name": "A\ud800", "agent_id": "a1"}', "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("colour", "colour"),
        ("c" * 1_000, "c" * 40),
        ("+4915112345678", "body"),
        ("Ann Lee <ann@example.com>", "body"),
        ("a\0b", "body"),
    ],
)
def test_an_unknown_field_is_named_only_if_its_name_looks_like_one(
    client: TestClient, name: str, shown: str
) -> None:
    for answer in (
        send(client, json.dumps(BATCH | {name: 1}).encode(), "application/json"),
        client.put("/account", json={name: 1}),
    ):
        assert answer.json()["code"] == "unknown_field"
        assert [error["field"] for error in answer.json()["errors"]] == [shown]


def test_of_many_faults_the_first_hundred_are_told(client: TestClient) -> None:
    answer = client.put("/account", json={f"v{n}": 1 for n in range(1_000)})
    assert len(answer.json()["errors"]) == 100


@pytest.mark.parametrize("kind", [FORM, "application/json"])
async def test_a_client_that_hangs_up_is_one_line_in_the_log(kind: str) -> None:
    told: list[Message] = [
        {"type": "http.request", "body": b"--b\r\n", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return told.pop(0)

    async def send(_: Message) -> None: ...

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/batches",
        "query_string": b"",
        "headers": [(b"content-type", kind.encode())],
    }
    with capture_logs() as logs:
        await an_app()(scope, receive, send)
    assert logs == [{"event": "client_hung_up", "log_level": "info"}]
