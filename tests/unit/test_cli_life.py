"""What is told of a batch that is steered is no more than what is certain; a deletion is meant."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli import life_words
from cli.__main__ import main
from cli.client import RefusedError

ROOT = Path(__file__).parents[2]
BATCH = "01900000-0000-7000-8000-000000000001"
STATE = "RUNNING (waiting for window): 1,100 of 1,200 people left"


def answer(action: str, *, confirmed: bool = True) -> dict[str, Any]:
    return {"batch_id": "B", "action": action, "confirmed": confirmed}


def batch(*, live: int = 0, reason: str | None = None) -> dict[str, Any]:
    counts = {"in_progress": live, "total": 1200}
    phase = "waiting_for_window"
    return {
        "status": "RUNNING", "phase": phase, "reason": reason, "remaining": 1100,
        "recipients": counts,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "read", "words"),
    [
        ("pause", batch(live=5), "Paused: no further call is begun; 5 calls that are live finish."),
        ("pause", batch(live=1), "Paused: no further call is begun; 1 call that is live finishes."),
        ("cancel", batch(), "Cancelled: no further call is begun; none is live."),
        ("cancel", None, "Cancelled: no further call is begun; calls that are live finish."),
        ("resume", None, "Resumed: it goes on where it was paused."),
        (
            "start",
            batch(),
            f"Started: people are called in the batch's hours.\n{STATE}",
        ),
        (
            "retry",
            batch(reason="The agent is inactive."),
            f"{life_words.CLEARED['retry']}\n{STATE}; The agent is inactive.",
        ),
    ],
)
def test_what_is_done_is_said_in_words(
    action: str, read: dict[str, Any] | None, words: str
) -> None:
    assert life_words.verdict(answer(action), read) == words


@pytest.mark.parametrize("action", ["start", "pause", "resume", "cancel", "retry"])
def test_what_is_not_confirmed_is_not_said_to_be_done(action: str) -> None:
    said = life_words.verdict(answer(action, confirmed=False), None)
    assert said.startswith("Taken; not confirmed yet")
    assert said.endswith("watch it with `rollcall batch watch B`")
    assert ("calls may still begin" in said) is (action in {"pause", "cancel"})


def test_who_is_added_or_removed_is_told() -> None:
    counts = {"accepted": 1200, "rejected": 1}
    assert life_words.added(answer("add") | counts, None) == (
        "1,200 accepted, 1 rejected\nwhy: `rollcall batch rejections B`"
    )
    later = life_words.added(answer("add", confirmed=False) | counts | {"rejected": 0}, None)
    assert later.splitlines()[1].startswith("Taken; not confirmed yet")
    who = {"recipient_id": "R"}
    assert life_words.removed(answer("remove") | who) == "R is removed and is not called"
    assert "not confirmed" in life_words.removed(answer("remove", confirmed=False) | who)


def test_a_refusal_names_the_commands_that_are_allowed() -> None:
    problem = {
        "title": "The batch is PAUSED and does not allow this.",
        "detail": "Ask for one of allowed_actions.",
        "code": "action_not_allowed",
        "allowed_actions": ["resume", "cancel"],
    }
    assert str(RefusedError(httpx2.codes.CONFLICT, problem)) == (
        "The batch is PAUSED and does not allow this.\n"
        "The batch allows `rollcall batch resume`, `rollcall batch cancel`."
    )


@pytest.mark.parametrize(
    "words",
    [
        ["batch", "start"],
        ["batch", "pause", BATCH, "more"],
        ["batch", "rename", BATCH],
        ["batch", "remove", BATCH],
        ["batch", "add", BATCH],
        ["batch", "add", BATCH, "--list", "L", "--mapping", "a=b"],
        ["batch", "delete", BATCH],
    ],
)
def test_a_wish_that_is_not_whole_is_misuse(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert ended.value.code == 2


class Asked:
    """`rollcall batch delete` at a terminal, where Rollcall is not running."""

    def __init__(self, folder: Path) -> None:
        self.keyboard, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", "batch", "delete", BATCH, "--data-dir", folder],
            cwd=ROOT, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        os.close(terminal)
        self.said = b""
        assert self.process.stderr is not None
        while not self.said.endswith(b"[y/n] (n): "):
            more = os.read(self.process.stderr.fileno(), 1000)
            assert more, self.said
            self.said += more

    def interrupt(self) -> None:
        """As people do: again, if it came in the moment before the question was listened to."""
        for _ in range(10):
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=3)
                return

    def ended(self) -> tuple[int, str]:
        _, rest = self.process.communicate(timeout=30)
        return self.process.returncode, rest.decode()


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    terminal = Asked(tmp_path)
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.keyboard)


@pytest.mark.parametrize("typed", [b"n\n", b"\n", b"\x04"])
def test_a_deletion_that_is_not_meant_is_not_done(asked: Asked, typed: bytes) -> None:
    assert f"Stop {BATCH} and destroy what it knows of people".encode() in b" ".join(
        asked.said.split()
    )
    os.write(asked.keyboard, typed)
    code, said = asked.ended()
    assert (code, said.strip()) == (1, "Nothing is deleted.")


def test_a_deletion_that_is_meant_is_sent(asked: Asked) -> None:
    os.write(asked.keyboard, b"y\n")
    code, said = asked.ended()
    assert (code, "Rollcall is not running" in said) == (1, True)


def test_ctrl_c_at_the_question_ends_it(asked: Asked) -> None:
    asked.interrupt()
    code, said = asked.ended()
    assert (code, said.splitlines()[-1].endswith("interrupted")) == (1, True)
    assert "Traceback" not in said
