"""Whatever a batch is called, a person sees it as it is and a program reads the same value."""

import json
from pathlib import Path

import pytest

from cli import doctor
from cli.doctor import Finding
from cli.printing import facts, say_failure, say_json, table

NAMES = ["[/red] x", "[bold]x[/bold]", ":smile:", "http://x"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    table(("batch", "name"), [("1", name)])
    facts({"name": name})
    say_failure(name, as_json=False)
    said = capsys.readouterr()
    assert said.out.count(name) == 2
    assert said.err.strip() == name


def test_a_name_gives_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    name = "\x1b]0;owned\x07 \x1b[2Jx\r\u202ey"
    table(("name",), [(name,)])
    facts({"name": name, "agent": "a\nb"})
    say_failure(name, as_json=False)
    said = capsys.readouterr()
    escaped = r"\x1b]0;owned\x07 \x1b[2Jx\r\u202ey"
    assert said.out.count(escaped) == 2
    assert escaped in said.err
    assert r"a\nb" in said.out
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(said.out + said.err)


@pytest.mark.parametrize("name", [*NAMES, "é 名", "\x1b[2J"])
def test_json_keeps_every_value_and_is_ascii(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"name": name})
    said = capsys.readouterr().out
    assert json.loads(said) == {"name": name}
    assert said.isascii()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (
            503,
            {"ready": False, "inbox": {"ok": False, "wrong": "still reading the log"}},
            (False, False, "inbox: still reading the log"),
        ),
        (503, {"status": "ledger_broken", "live": 0}, (False, False, "status: ledger_broken")),
        (503, None, (False, False, "http://x answers 503")),
        (None, None, (False, False, "http://x does not answer")),
        (
            200,
            {"ready": True, "quarantine": {"ok": True, "wrong": "2 batches set aside"}},
            (True, True, "http://x is ready, but quarantine: 2 batches set aside"),
        ),
        (200, {"ready": True, "inbox": {"ok": True}}, (True, False, "http://x is ready")),
        (200, {"status": "ok", "live": 3}, (True, False, "http://x is ready")),
    ],
)
async def test_the_doctor_tells_the_reason_a_service_gives(
    status: int | None,
    body: object,
    told: tuple[bool, bool, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def answer(_: str) -> tuple[int | None, object]:
        return status, body

    monkeypatch.setattr(doctor, "_ask", answer)
    finding = await doctor._service("ingest", "http://x", Path("data"))
    assert (finding.well, finding.warns, finding.found) == told
    doctor._show([finding])
    said = capsys.readouterr().out
    assert finding.found in said
    assert ("data/logs/ingest.log" in said) is (finding.warns or not finding.well)
    assert ("Restart `rollcall up --data-dir data`" in said) is (not finding.well)


def test_what_a_service_says_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    doctor._show([Finding("ingest", well=True, found="[/red] \x1b[2J", warns=True)])
    assert r"[/red] \x1b[2J" in capsys.readouterr().out
