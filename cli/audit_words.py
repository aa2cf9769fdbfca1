"""An audit in words: a line a check, then each breach with its place in the log."""

import resource
from dataclasses import dataclass

from audit.findings import Breach, Findings, Told
from cli.printing import Json, console, say, say_json, table


@dataclass(frozen=True, slots=True)
class Reading:
    records: int
    seconds: float


def say_findings(findings: Findings, seen: Reading, *, as_json: bool) -> None:
    if as_json:
        say_json(_as_json(findings, seen))
        return
    table(
        ("check", "what it guarantees", "examined", "breaches", "open"),
        [
            (check.name, check.guarantee, tally.examined, tally.breaches,
             sum(tally.still_open.values()) or None)
            for check, tally in findings.tallies.items()
        ],
    )  # fmt: skip
    for check, tally in findings.tallies.items():
        for what, count in tally.still_open.items():
            say(f"open: {check.name}: {count} {what}")
    for breach in findings.breaches:
        _say_breach(breach)
    verdict = "[green]clean[/]" if findings.clean else "[red]breached[/]"
    rate = seen.records / max(seen.seconds, 1e-9)
    console.print(
        f"\n{seen.records} records, {findings.repeated} of them said twice, in"
        f" {seen.seconds:.1f} s ({rate:.0f} a second, {_megabytes()} MB): {verdict}"
    )


def _say_breach(breach: Breach) -> None:
    say(f"\nbreach of {breach.check}: {breach.what}")
    for told in breach.events:
        say(f"  {_place(told)}")


def _place(told: Told) -> str:
    at = "" if told.at is None else f" at {told.at.isoformat()}"
    place = f"{told.topic} partition {told.partition} offset {told.offset}"
    return f"{place}: {told.type} {told.event_id}{at}"


def _megabytes() -> int:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _as_json(findings: Findings, seen: Reading) -> Json:
    return {
        "ok": findings.clean,
        "records": seen.records,
        "repeated": findings.repeated,
        "seconds": round(seen.seconds, 3),
        "megabytes": _megabytes(),
        "checks": [
            {
                "name": check.name,
                "guarantee": check.guarantee,
                "examined": tally.examined,
                "breaches": tally.breaches,
                "open": dict(tally.still_open),
            }
            for check, tally in findings.tallies.items()
        ],
        "breaches": [
            {
                "check": breach.check,
                "what": breach.what,
                "events": [_event(told) for told in breach.events],
            }
            for breach in findings.breaches
        ],
    }


def _event(told: Told) -> Json:
    at = None if told.at is None else told.at.isoformat()
    return told._asdict() | {"at": at}
