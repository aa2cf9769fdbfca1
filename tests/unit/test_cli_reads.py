"""What a read tells is the server's own word, in words; no file mixes what two reads gave."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli import endpoints
from cli.__main__ import main
from cli.endpoints import Endpoints
from cli.history import _cells
from cli.printing import facts
from cli.watch import pace_of

BATCH = "01900000-0000-7000-8000-000000000001"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PAUSED = {"code": "paused", "message": "The batch is paused."}
CLIENT = httpx2.AsyncClient
Answer = Callable[[httpx2.Request], httpx2.Response]
Serve = Callable[[Answer], list[httpx2.Request]]


def run(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Answers what commands ask, and tells what they asked."""

    def serving(answer: Answer) -> list[httpx2.Request]:
        asked: list[httpx2.Request] = []

        def heard(request: httpx2.Request) -> httpx2.Response:
            asked.append(request)
            return answer(request)

        transport = httpx2.MockTransport(heard)
        monkeypatch.setattr(endpoints, "find", lambda _: Endpoints("http://in", "http://out"))
        monkeypatch.setattr(httpx2, "AsyncClient", lambda **_: CLIENT(transport=transport))
        return asked

    return serving


def batch(status: str, *, finish: int | None = None, rate: float = 0.0) -> dict[str, Any]:
    return {
        "status": status,
        "calls_per_minute": rate,
        "estimated_finish_at": finish and (NOW + timedelta(seconds=finish)).isoformat(),
        "estimate_reason": None if finish else PAUSED,
    }


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (batch("RUNNING", finish=121, rate=212.4), "212 calls a minute, 2:01 left"),
        (batch("RUNNING", finish=3723, rate=1.25), "1.2 calls a minute, 1:02:03 left"),
        (batch("RUNNING", finish=-3), "0:00 left"),
        (batch("SCHEDULED", finish=121), ""),
        (batch("PAUSED", rate=60), "60 calls a minute, The batch is paused."),
        (batch("CANCELLED", finish=121, rate=60), ""),
        (batch("COMPLETED", rate=60), ""),
    ],
)
def test_rate_and_time_left_are_the_servers_own_and_only_of_what_runs(
    read: dict[str, Any], words: str
) -> None:
    assert pace_of(read, NOW) == words


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--status", "done"],
        ["list", "--limit", "0"],
        ["list", "--limit", "501"],
        ["list", "--colour", "red"],
        *([command, "7"] for command in ("show", "watch", "calls", "timeline", "results")),
        *([command, "7"] for command in ("start", "pause", "retry", "delete")),
        ["rename", "7", "Spring"],
        ["remove", "7", BATCH],
        ["add", "7", "--list", BATCH],
        ["recipients", BATCH, "--status", "x"],
        ["recipients", BATCH, "--outcome", "x"],
        ["results", BATCH, "-o", "x.jsonl", "--format", "csv"],
        ["results", BATCH, "-o", "x.csv", "--format", "jsonl"],
        ["results", BATCH, "-o", "x.jsonl", "--bom"],
        ["results", BATCH, "--format", "jsonl", "--bom"],
    ],
)
def test_what_can_never_be_right_is_misuse(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("batch", *words) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("status", "code"), [(422, 2), (404, 1), (503, 1)])
def test_a_read_is_refused_as_misuse_only_for_what_was_typed(
    serve: Serve, status: int, code: int
) -> None:
    serve(lambda _: httpx2.Response(status, json={"title": "No."}))
    assert run("batch", "timeline", BATCH, "--type", "Nothing") == code
    assert run("batch", "rename", BATCH, "") == 1


def test_batches_are_searched_and_filtered(serve: Serve) -> None:
    asked = serve(lambda _: httpx2.Response(200, json={"data": [], "next_cursor": None}))
    assert run("batch", "list", "--search", "spring", "--status", "RUNNING", "--limit", "5") == 0
    assert dict(asked[0].url.params) == {"search": "spring", "status": "RUNNING", "limit": "5"}
    assert run("batch", "recipients", BATCH, "--status", "NO_ANSWER", "--outcome", "no_answer") == 0
    assert asked[1].url.params["status"] == "NO_ANSWER"
    assert asked[1].url.params["outcome"] == "no_answer"


def rows(request: httpx2.Request) -> httpx2.Response:
    if "/results." not in request.url.path:
        return httpx2.Response(200, json={"recipients": {"total": 2}})
    if request.url.path.endswith(".jsonl"):
        return httpx2.Response(200, content=b'{"recipient_id": "a"}\n{"recipient_id": "b"}\n')
    return httpx2.Response(200, content=b"recipient_id\r\na\r\n")


@pytest.mark.parametrize(
    ("name", "form"),
    [("x.jsonl", "jsonl"), ("x.NDJSON", "jsonl"), ("x.csv", "csv"), ("x", "csv")],
)
def test_a_file_is_what_its_ending_says(serve: Serve, tmp_path: Path, name: str, form: str) -> None:
    asked = serve(rows)
    assert run("batch", "results", BATCH, "-o", str(tmp_path / name)) == 0
    assert asked[-1].url.path.endswith(f"/results.{form}")
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.fixture
def cut(serve: Serve, tmp_path: Path) -> Path:
    """A file whose download ended behind its first row."""

    def one_row(request: httpx2.Request) -> httpx2.Response:
        if "/results." not in request.url.path:
            return rows(request)

        async def cutting() -> Any:
            yield b'{"recipient_id": "a"}\n{"reci'
            raise httpx2.RemoteProtocolError("cut")

        return httpx2.Response(200, content=cutting())

    serve(one_row)
    file = tmp_path / "x.jsonl"
    assert run("batch", "results", BATCH, "--status", "COMPLETED", "-o", str(file)) == 1
    return file


@pytest.mark.parametrize(
    "other",
    [
        [BATCH],
        [BATCH, "--status", "FAILED"],
        [BATCH, "--status", "COMPLETED", "--outcome", "completed"],
        [BATCH.replace("1", "2"), "--status", "COMPLETED"],
    ],
)
def test_a_part_is_not_gone_on_with_as_another(
    serve: Serve, cut: Path, other: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = serve(rows)
    part = cut.with_name("x.jsonl.part")
    before = part.read_bytes()
    assert run("batch", "results", *other, "-o", str(cut), "--resume") == 2
    assert "--status COMPLETED: ask for the same to go on" in capsys.readouterr().err
    assert (part.read_bytes(), asked) == (before, [])


def test_a_part_of_which_nothing_is_known_is_not_gone_on_with(serve: Serve, cut: Path) -> None:
    serve(rows)
    same = ("batch", "results", BATCH, "--status", "COMPLETED", "-o", str(cut))
    cut.with_name("x.jsonl.part.json").unlink()
    assert run(*same, "--resume") == 2
    assert run(*same) == 0
    assert len(cut.read_bytes().splitlines()) == 2


def test_the_same_wish_goes_on_and_then_nothing_is_left(
    serve: Serve, cut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = ("batch", "results", BATCH, "--status", "COMPLETED", "-o", str(cut), "--resume")

    def rest(request: httpx2.Request) -> httpx2.Response:
        if "/results." not in request.url.path:
            return rows(request)
        assert request.url.params["cursor"] == "a"
        return httpx2.Response(200, content=b'{"recipient_id": "b"}\n')

    serve(rest)
    assert run(*same) == 0
    assert [json.loads(line)["recipient_id"] for line in cut.read_text().splitlines()] == ["a", "b"]
    assert [file.name for file in cut.parent.iterdir()] == [cut.name]
    capsys.readouterr()
    asked = serve(rest)
    assert run(*same) == 0
    said = capsys.readouterr().out
    assert "nothing is left to download" in said
    assert asked == []


def test_what_is_nested_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    once = {"max_attempts": 1, "delay_seconds": [3600], "on": ["no_answer", "busy"]}
    facts({"estimate_reason": PAUSED, "retry_policy": once, "held": False, "nobody": None})
    facts({"retry_policy": {**once, "max_attempts": 3, "delay_seconds": [60, 3600]}})
    assert capsys.readouterr().out.splitlines() == [
        "estimate reason        The batch is paused.",
        "retry policy           1 attempt",
        "held                   no",
        "retry policy           3 attempts, 60 s then 3,600 s apart, after no answer or busy",
    ]


def test_the_timeline_tells_nested_facts_in_words_without_ids() -> None:
    told = {"include_unknown": True, "batch_id": BATCH, "window": {"start": "09:00", "id": None},
            "addition": {"addition_id": BATCH, "recipients": 0}}  # fmt: skip
    entry = {"at": "t", "type": "X", "actor": None, "recipient_id": None, "data": told}
    assert _cells(entry)[-1] == "include unknown yes, window start 09:00, addition recipients 0"
