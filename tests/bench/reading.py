"""Reads of a large model over HTTP, each beside a request of the same app that reads one row."""

import http.client
import json
import random
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

import uvloop

from tests.bench.figure import Figure, Goal, percentile
from tests.bench.filled_model import FAMILY, THINGS, Told, fill, sized
from tests.bench.sizes import Size
from tests.house import House, Json

AT_MOST = 50.0
"""Milliseconds, of what is looked at all the time."""
LOOKED_THROUGH = 1000.0
"""Of what takes a look at all of a list."""
BARE = "/v1/account"
MOST = 500

Path = Callable[[], str]


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    batches = sized(size.read_batches, size.read_people, size.read_longest)
    taken_up = uvloop.run(fill(house.endpoints["databases"]["projections"], batches))
    reader = Reader(house.endpoints["projections"])
    longest = batches[0]
    people = f"/v1/batches/{longest.batch_id}/recipients"
    deep = reader.cursor_of(people, size.deep_page)
    often, seldom = _reads(batches, f"{people}?cursor={deep}")
    taken = reader.timed({"bare": lambda: BARE} | often, size.read_times)
    taken |= reader.timed(seldom, size.read_times // 4)
    bare = taken.pop("bare")
    least = min(batch.people for batch in batches)
    lengths = f"people in {len(batches):,} batches of {least:,} to {longest.people:,}"
    disk = Figure("the model on disk", taken_up / 2**20, "MB", size.read_people, lengths)
    return [disk] + [
        Figure(
            f"{name}, {part}",
            percentile(seconds, share) * 1000,
            "ms",
            percentile(bare, share) * 1000,
            f"ms, one row ({BARE})",
            goal,
        )
        for name, seconds in taken.items()
        for part, share, goal in (
            ("p50", 0.5, None),
            ("p99", 0.99, Goal(at_most=AT_MOST if name in often else LOOKED_THROUGH)),
        )
    ]


def _reads(batches: list[Told], deep: str) -> tuple[dict[str, Path], dict[str, Path]]:
    chosen = random.Random(7)
    longest = batches[0]
    people = f"/v1/batches/{longest.batch_id}/recipients"

    def why() -> str:
        batch = chosen.choice(batches)
        recipient = batch.recipient_id(chosen.randint(1, batch.people))
        return f"/v1/batches/{batch.batch_id}/recipients/{recipient}/why"

    def number() -> str:
        return str(chosen.choice(batches).number)

    often: dict[str, Path] = {
        "list": lambda: "/v1/batches",
        "list by status": lambda: "/v1/batches?status=RUNNING",
        "search": lambda: f"/v1/batches?search={quote(chosen.choice(THINGS))}",
        "search, rare": lambda: f"/v1/batches?search={number()}",
        "detail": lambda: f"/v1/batches/{chosen.choice(batches).batch_id}",
        "recipients, page 1": lambda: people,
        "recipients, page deep": lambda: deep,
        "recipients by outcome": lambda: f"{people}?outcome=busy&sort=-row",
        "calls": lambda: f"/v1/batches/{longest.batch_id}/calls",
        "why": why,
    }
    seldom: dict[str, Path] = {
        "recipients sorted by name": lambda: f"{people}?sort=name",
        "recipients searched by name": lambda: f"{people}?search={quote(chosen.choice(FAMILY))}",
        "recipients searched by number": lambda: f"{people}?search=06%20{number()}",
    }
    return often, seldom


class Reader:
    """One client on one connection, who waits for each answer."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._http = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)

    def get(self, path: str) -> bytes:
        self._http.request("GET", path)
        answer = self._http.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise AssertionError(f"{path}: {answer.status} {body!r}")
        return body

    def cursor_of(self, path: str, page: int, limit: int = 50) -> str:
        """Where a page of so many begins."""
        rows, cursor = (page - 1) * limit, ""
        while rows:
            size = min(MOST, rows)
            answer: Json = json.loads(self.get(f"{path}?limit={size}{cursor}"))
            rows -= size
            cursor = f"&cursor={answer['next_cursor']}"
        return cursor.removeprefix("&cursor=")

    def timed(self, reads: Mapping[str, Path], times: int) -> dict[str, list[float]]:
        """In turn, so that each meets the machine as the others do; the first ones do not count."""
        taken: dict[str, list[float]] = {name: [] for name in reads}
        for turn in range(-10, times):
            for name, path in reads.items():
                asked = path()
                began = time.perf_counter()
                self.get(asked)
                if turn >= 0:
                    taken[name].append(time.perf_counter() - began)
        return taken
