"""What is missing or unhealthy, each with what to do about it; nothing is changed."""

import asyncio
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2
from rich.text import Text

from chassis import same_log, same_vault
from cli.endpoints import NotRunningError, read
from cli.printing import console, plain, say, say_json
from deploy.embedded import jars
from deploy.embedded.folder import FREE_MEGABYTES
from deploy.embedded.losses import losses
from deploy.embedded.problem import CannotStart

OLDEST_PYTHON = (3, 11)
HEALTHY = ("ok", "alive")


REMEDIES = {
    same_log.ANOTHER: "Nothing is decided, called or published on it. Put back the newest copy of"
    " Kafka's folder: see docs/operations/lost-log.md for what can be brought back.",
    same_vault.ANOTHER: "Nobody is called meanwhile. Restore the vault's database from its newest"
    " backup: see docs/operations/lost-vault.md.",
    same_vault.WRONG_KEY: "Nobody is called meanwhile. Put back the key (DATA/key, or"
    " ROLLCALL_KEY_ENCRYPTION_KEY): see docs/operations/lost-vault.md.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    well: bool
    found: str
    do: str = ""
    warns: bool = False
    """It does its work, and yet names something wrong."""


async def doctor(data_dir: Path, *, as_json: bool) -> int:
    lost = _lost(data_dir)
    here = [_python(), _jars(), _disk(data_dir), *lost]
    findings = [*here, *await _running(data_dir, whole=not lost)]
    if as_json:
        say_json({"ok": all(f.well for f in findings), "findings": [asdict(f) for f in findings]})
    else:
        _show(findings)
    return 0 if all(finding.well for finding in findings) else 1


def _show(findings: list[Finding]) -> None:
    for finding in findings:
        mark = Text.from_markup(_mark(finding))
        found = plain(f" {finding.what:<13} {finding.found}")
        console.print(mark.append_text(found), soft_wrap=True)
        if finding.do and (finding.warns or not finding.well):
            say(f"    {finding.do}")


def _mark(finding: Finding) -> str:
    if not finding.well:
        return "[red]✗[/]"
    return "[yellow]![/]" if finding.warns else "[green]✓[/]"


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info >= OLDEST_PYTHON
    return Finding("Python", new_enough, version, "Install Python 3.11 or later.")


def _jars() -> Finding:
    try:
        jars.class_path(jars.cache_folder(), jars.locked())
    except CannotStart as problem:
        return Finding("Apache Kafka", well=False, found=str(problem), do="Run `make setup`.")
    return Finding("Apache Kafka", well=True, found="every jar is there and is the pinned one")


def _disk(data_dir: Path) -> Finding:
    place = next(
        folder for folder in (data_dir.absolute(), *data_dir.absolute().parents) if folder.exists()
    )
    free = shutil.disk_usage(place).free // 2**20
    do = f"Free some: {FREE_MEGABYTES} MB are needed to start."
    return Finding("disk", free >= FREE_MEGABYTES, f"{free} MB free at {data_dir}", do)


def _lost(data_dir: Path) -> list[Finding]:
    """Known by its files alone, also where nothing runs."""
    return [Finding(it.what, well=False, found=it.found, do=it.do) for it in losses(data_dir)]


async def _running(data_dir: Path, *, whole: bool) -> list[Finding]:
    try:
        endpoints = read(data_dir)
    except NotRunningError as problem:
        first = "Start it" if whole else "Bring back what is lost, and start it"
        do = f"{first}: `rollcall up --data-dir {data_dir}`."
        return [Finding("rollcall up", well=False, found=str(problem), do=do)]
    names = ("ingest", "scheduler", "projections")
    services = {str(name): endpoints[name] for name in names if name in endpoints}
    services |= {f"dialer-{n}": url for n, url in enumerate(endpoints.get("dialers", ()), 1)}
    probes = [_service(name, url, data_dir) for name, url in services.items()]
    if simulator := endpoints.get("simulator"):
        probes.insert(0, _service("simulator", simulator, data_dir, "/healthz"))
    return list(await asyncio.gather(*probes))


async def _service(name: str, url: str, data_dir: Path, path: str = "/readyz") -> Finding:
    status, body = await _ask(f"{url}{path}")
    log = f"{data_dir}/logs/{name}.log"
    reason = _reason(body)
    do = _what_to_do(
        reason,
        f"Restart `rollcall up --data-dir {data_dir}`; if that does not help, look at {log}.",
    )
    if status is None:
        return Finding(name, well=False, found=f"{url} does not answer", do=do)
    if status == httpx2.codes.OK:
        return Finding(
            name,
            well=True,
            found=f"{url} is ready" + (f", but {reason}" if reason else ""),
            do=f"Look at {log}." if reason else "",
            warns=bool(reason),
        )
    return Finding(name, well=False, found=reason or f"{url} answers {status}", do=do)


def _reason(body: Any) -> str:
    """What it says is wrong: each check of /readyz that names something, or a bad status."""
    if not isinstance(body, dict):
        return ""
    wrong = [
        f"{name}: {check['wrong']}"
        for name, check in body.items()
        if isinstance(check, dict) and check.get("wrong")
    ]
    if isinstance(status := body.get("status"), str) and status not in HEALTHY:
        wrong.append(f"status: {status}")
    return "; ".join(wrong)


def _what_to_do(reason: str, otherwise: str) -> str:
    return next((do for words, do in REMEDIES.items() if words in reason), otherwise)


async def _ask(url: str) -> tuple[int | None, Any]:
    try:
        async with httpx2.AsyncClient(timeout=5) as http:
            answer = await http.get(url)
            return answer.status_code, answer.json()
    except httpx2.TransportError:
        return None, None
    except ValueError:
        return answer.status_code, None
