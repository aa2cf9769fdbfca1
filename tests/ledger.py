"""Who was rung, and when: the phone network's own account, by which everything here is judged."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any

Json = dict[str, Any]


class Ledger:
    """What the phone network remembers, entry by entry in the order of its `seq`."""

    def __init__(self, entries: list[Json]) -> None:
        self.entries = entries

    def of(self, kind: str) -> list[Json]:
        return [entry for entry in self.entries if entry["kind"] == kind]

    def to(self, numbers: Collection[str]) -> "Ledger":
        wanted = set(numbers)
        return Ledger([entry for entry in self.entries if entry["to"] in wanted])

    def of_caller(self, number: str) -> "Ledger":
        return Ledger([entry for entry in self.entries if entry["from"] == number])

    def accepted(self) -> list[Json]:
        return [entry for entry in self.of("request") if entry["accepted"]]

    def requests_by_call(self) -> Counter[str]:
        return Counter(entry["call_id"] for entry in self.of("request"))

    def rings_by_number(self) -> Counter[str]:
        return Counter(entry["to"] for entry in self.of("ring"))

    def live(self) -> list[Json]:
        """Who has answered and whose call has not ended, in the order they answered."""
        ended = {entry["call_id"] for entry in self.of("end")}
        return [entry for entry in self.of("answer") if entry["call_id"] not in ended]

    def most_at_once(self) -> int:
        """The most calls alive at any time, from the request that was taken to the end."""
        live, most = 0, 0
        for entry in self.entries:
            live += entry["kind"] == "request" and entry["accepted"]
            live -= entry["kind"] == "end"
            most = max(most, live)
        return most

    def story(self) -> str:
        """For a failing test: the entries of each call that was asked for more than once."""
        stories: dict[str, list[str]] = defaultdict(list)
        twice = {call for call, count in self.requests_by_call().items() if count > 1}
        for entry in self.entries:
            if entry["call_id"] in twice:
                stories[entry["call_id"]].append(f"{entry['at']} {entry['kind']}")
        return json.dumps(stories, indent=1)
