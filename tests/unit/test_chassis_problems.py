"""An error says what to do and never repeats what was sent."""

from typing import Annotated

import pytest
from fastapi import FastAPI, File, UploadFile
from fastapi.testclient import TestClient
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from chassis.problems import BodyLimit, FieldProblem, Problem, install

PHONE = "tel +4915112345678"


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(default=1, ge=1)
    at: AwareDatetime | None = None
    phone: str | None = None

    @field_validator("phone")
    @classmethod
    def refused(cls, value: str) -> str:
        raise ValueError(f"{value} is wrong")


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    install(app)
    app.add_middleware(BodyLimit, most=1_000_000, detail="Send at most 1 MB.")

    @app.post("/asked")
    async def asked(_: Asked) -> None: ...

    @app.post("/upload")
    async def upload(file: Annotated[UploadFile, File()]) -> int | None:
        return file.size

    @app.get("/known")
    async def known() -> None:
        raise Problem(
            409, "batch_running", "The batch is running.", "Pause it first.",
            errors=[FieldProblem(field="status", code="running", message="no")], batch="b1",
        )  # fmt: skip

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(PHONE)

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ('{"size": 0}', 422, "field_invalid"),
        (f'{{"size": "{PHONE}"}}', 422, "field_invalid"),
        (f'{{"phone": "{PHONE}"}}', 422, "field_invalid"),
        (f'{{"odd": "{PHONE}"}}', 422, "unknown_field"),
        ('{"at": "2026-11-21T10:00:00"}', 422, "instant_without_zone"),
        (f'{{"{PHONE}', 400, "body_invalid"),
    ],
)
def test_bad_input_is_named_but_not_repeated(
    client: TestClient, body: str, status: int, code: str
) -> None:
    answer = client.post("/asked", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "4915112" not in answer.text


def test_a_problem_of_ours_is_answered_as_it_was_raised(client: TestClient) -> None:
    answer = client.get("/known")
    assert answer.status_code == 409
    assert answer.json() == {
        "type": "urn:rollcall:problem:batch_running",
        "title": "The batch is running.",
        "status": 409,
        "detail": "Pause it first.",
        "code": "batch_running",
        "batch": "b1",
        "errors": [{"field": "status", "code": "running", "message": "no"}],
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/known", 405, "method_not_allowed"),
        ("GET", "/broken", 500, "internal_error"),
    ],
)
def test_every_error_is_a_problem(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert PHONE not in answer.text


@pytest.mark.parametrize("declared", [True, False])
def test_too_large_an_upload_is_413_declared_or_not(client: TestClient, *, declared: bool) -> None:
    body = b"x" * 1_000_001
    content = body if declared else iter([body[:600_000], body[600_000:]])
    answer = client.post("/asked", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert answer.json()["detail"] == "Send at most 1 MB."
