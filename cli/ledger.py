"""What the carrier itself remembers of a batch: the judge of whether anybody was rung twice."""

import json
from collections import Counter
from dataclasses import dataclass

import httpx2

from cli.client import Json


@dataclass(frozen=True, slots=True)
class Verdict:
    requests: int
    rung: int
    twice: int
    """Numbers rung more than once; no number is kept here."""
    most_at_once: int


async def read(simulator: str, after: int) -> list[Json]:
    async with httpx2.AsyncClient(timeout=60) as http:
        answer = await http.get(f"{simulator}/ledger", params={"after": after})
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]


def judge(entries: list[Json]) -> Verdict:
    """Entries in the order of their `seq`; calls are live from their request to their end."""
    rings = Counter(entry["to"] for entry in entries if entry["kind"] == "ring")
    live: set[str] = set()
    most = 0
    for entry in entries:
        if entry["kind"] == "request" and entry.get("accepted", True):
            live.add(entry["call_id"])
        elif entry["kind"] == "end":
            live.discard(entry["call_id"])
        most = max(most, len(live))
    return Verdict(
        requests=sum(entry["kind"] == "request" for entry in entries),
        rung=len(rings),
        twice=sum(count > 1 for count in rings.values()),
        most_at_once=most,
    )
