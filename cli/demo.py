"""A real batch from a CSV to its end, on the servers of `up`, judged by the carrier's ledger."""

import asyncio
from functools import partial
from pathlib import Path

import httpx2
from rich.console import Console

from chassis.logging import configure
from cli import endpoints, ledger
from cli.client import Client, Json
from cli.printing import console, problems, say, say_json
from cli.running import ready_line, until_asked_to_stop
from cli.watch import watch
from deploy.embedded.services import rollcall
from deploy.embedded.supervisor import supervised

SAMPLE = Path(__file__).with_name("sample.csv")
AGENT, NUMBER, LIMIT = "reminders", "+442079460000", 20
ALWAYS: Json = {
    "start": "00:00",
    "end": "24:00",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "timezone": "UTC",
}
PHONE_NETWORK: Json = {
    "seed": 7,
    "outcomes": {"answered": 0.6, "voicemail": 0.15, "no_answer": 0.15, "busy": 0.1},
    "ring_seconds": [0.3, 1.2],
    "talk_seconds": [0.5, 4.0],
}


async def demo(data_dir: Path, *, stay: bool, as_json: bool) -> int:
    configure("demo", "console", "warning")
    work = _demo(data_dir, stay=stay, as_json=as_json)
    return await until_asked_to_stop(work, when_stopped=0 if stay else 1, as_json=as_json)


async def _demo(data_dir: Path, *, stay: bool, as_json: bool) -> int:
    shown = problems if as_json else console
    tell = partial(ready_line, console=shown)
    async with supervised(data_dir, rollcall(dialers=2), tell):
        found = endpoints.find(data_dir)
        async with Client(found) as client:
            batch, verdict = await _run(client, str(found.simulator), shown)
            wrong = await client.read(f"/v1/batches/{batch['batch_id']}/rejections")
        _say(batch, verdict, wrong["data"], data_dir, as_json=as_json)
        if stay:
            shown.print("Running until Ctrl-C.")
            await asyncio.Event().wait()
    return 0 if batch["status"] == "COMPLETED" and not verdict.twice else 1


async def _run(client: Client, simulator: str, shown: Console) -> tuple[Json, ledger.Verdict]:
    async with httpx2.AsyncClient() as http:
        (await http.put(f"{simulator}/behaviour", json=PHONE_NETWORK)).raise_for_status()
    before = await ledger.read(simulator, after=0)
    await client.put("/v1/account", {"concurrency": LIMIT, "default_window": ALWAYS})
    await client.put(f"/v1/phone-numbers/{NUMBER}", {"outbound": True})
    agent = {"name": "Appointment reminders", "phone_number": NUMBER, "active": True}
    await client.put(f"/v1/agents/{AGENT}", agent)
    created = await client.create_batch(SAMPLE, {"name": "Demo", "agent_id": AGENT})
    batch = await watch(client, created["batch_id"], shown)
    entries = await ledger.read(simulator, after=before[-1]["seq"] if before else 0)
    return batch, ledger.judge(entries)


def _say(
    batch: Json, verdict: ledger.Verdict, wrong: list[Json], data_dir: Path, *, as_json: bool
) -> None:
    if as_json:
        say_json({"batch": batch, "ledger": {name: getattr(verdict, name) for name in _SAID}})
        return
    outcomes = [f"{n} {name.replace('_', ' ')}" for name, n in batch["outcomes"].items() if n]
    say(f"\nThe batch is {batch['status']}. By how each call ended: {', '.join(outcomes)}.")
    say("(Voicemail counts as completed, busy and declined as no answer, invalid as failed.)")
    for row in wrong:
        say(f"  line {row['line']} was not called: {row['errors'][0]['message']}")
    say(
        f"By the carrier's own ledger: {verdict.requests} calls asked for, {verdict.rung} phones "
        f"rung (busy and invalid ones do not ring), {verdict.twice} of them twice, at most "
        f"{verdict.most_at_once} calls at once (limit {LIMIT})."
    )
    say(
        f"\nWhere to look: `rollcall up --data-dir {data_dir}` carries on from this data, then\n"
        f"`rollcall batch list --data-dir {data_dir}`; logs in {data_dir}/logs, the ledger in "
        f"{data_dir}/simulator."
    )


_SAID = ("requests", "rung", "twice", "most_at_once")
