"""What is typed wrongly is refused with exit code 2 before anything starts; no stack is shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from cli.__main__ import main
from cli.client import Client
from cli.endpoints import Endpoints

ROOT = Path(__file__).parents[2]
FILE = str(ROOT / "cli" / "sample.csv")
CREATE = ["batch", "create", FILE, "--agent", "a", "--idempotency-key"]


def exit_code(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


@pytest.mark.parametrize(
    "words",
    [
        ["up", "--dialers", "0"],
        ["up", "--dialers", "-1"],
        ["up", "--data-dir", ""],
        ["batch", "list", "--data-dir="],
        *([*CREATE, key] for key in ("é", "a\nb", "", " ", "a ", "\x7f", "k" * 256)),
    ],
)
def test_a_value_that_cannot_be_is_misuse(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(*words) == 2
    assert "Error" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert exit_code(*words, "--json") == 2
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert said["problem"]["title"]


@pytest.mark.parametrize("key", ["k", "k" * 255, "order 17/b"])
def test_a_key_that_can_be_is_taken(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(*CREATE, key) == 1
    assert "Rollcall is not running" in capsys.readouterr().err


@pytest.fixture
def oddly_named(tmp_path: Path) -> Path:
    file = tmp_path / os.fsdecode(b"we\xffird.csv")
    file.write_text("phone_number\n")
    return file


async def test_a_file_whose_name_is_in_no_encoding_is_sent_under_a_safe_one(
    oddly_named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(await request.aread())
        return httpx2.Response(202, json={"batch_id": "b"})

    async with Client(Endpoints("http://ingest", "http://projections")) as client:
        monkeypatch.setattr(
            client, "_http", httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
        )
        await client.create_batch(oddly_named, {"name": oddly_named.stem})
    assert b'filename="we?ird.csv"' in asked[0]
    assert b'{"name": "we?ird"}' in asked[0]


def rollcall(*words: str, stdout: int, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("more", [["--json"], []])
def test_an_answer_that_cannot_be_written_is_one_line(more: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        said = rollcall("doctor", "--data-dir", str(tmp_path), *more, stdout=full.fileno())
    assert said.returncode == 1
    assert said.stderr == "The answer cannot be written: No space left on device\n"


@pytest.mark.parametrize("more", [["--json"], []])
def test_a_reader_who_has_gone_need_not_be_told(more: list[str], tmp_path: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    said = rollcall("doctor", "--data-dir", str(tmp_path), *more, stdout=writes)
    os.close(writes)
    assert (said.returncode, said.stderr) == (1, "")


def test_a_terminal_that_lacks_a_character_gets_it_escaped(tmp_path: Path) -> None:
    said = rollcall(
        "doctor", "--data-dir", str(tmp_path), stdout=subprocess.PIPE, PYTHONIOENCODING="ascii"
    )
    assert (said.returncode, said.stderr) == (1, "")
    assert r"\u2717 rollcall up" in said.stdout
