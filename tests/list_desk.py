"""Recipient lists as their senders have them: sent, looked at and mended over HTTP."""

import json
from typing import Any

import httpx2

from tests.counter import until
from tests.desk import Desk, Json

LISTS = "/v1/recipient-lists"
NOTHING_ASTRAY = """
    SELECT NOT EXISTS (SELECT FROM uploads) AND NOT EXISTS (
        SELECT FROM list_blocks WHERE upload_id NOT IN (SELECT upload_id FROM list_files)
    ) AND NOT EXISTS (
        SELECT FROM upload_chunks WHERE upload_id NOT IN (SELECT upload_id FROM additions)
    )
"""
KEPT = "SELECT (SELECT count(*) FROM lists), (SELECT count(*) FROM list_files)"


def number(n: int) -> str:
    return f"+1202{2000000 + n}"


def person(n: int, **more: Any) -> Json:
    return {"phone_number": number(n), "name": f"Person {n}"} | more


def people(*numbers: int) -> Json:
    """A request of recipients as they are typed."""
    return {"json": {"recipients": [person(n) for n in numbers]}}


def file(*lines: str, mapping: Json | None = None) -> Json:
    """A request with a CSV file."""
    return form("\n".join(lines).encode(), mapping)


def form(content: bytes, mapping: Json | None = None) -> Json:
    parts: Json = {"file": ("list.csv", content, "text/csv")}
    if mapping is not None:
        parts["mapping"] = (None, json.dumps({"columns": mapping}))
    return {"files": parts}


class ListDesk:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.http = desk.http

    async def send(
        self, request: Json, into: str | None = None, key: str | None = None
    ) -> httpx2.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        path = LISTS if into is None else f"{LISTS}/{into}/rows"
        return await self.http.post(path, headers=headers, **request)

    async def take(self, request: Json, into: str | None = None) -> Json:
        """The list as it was answered."""
        answer = await self.send(request, into)
        assert answer.status_code == (201 if into is None else 200), answer.text
        return dict(answer.json())

    async def read(self, list_id: str) -> Json:
        answer = await self.http.get(f"{LISTS}/{list_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def ask(self, list_id: str, **query: Any) -> httpx2.Response:
        return await self.http.get(f"{LISTS}/{list_id}/rows", params=query)

    async def page(self, list_id: str, **query: Any) -> Json:
        answer = await self.ask(list_id, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def rows(self, list_id: str, **query: Any) -> list[Json]:
        """All of them, page by page."""
        page = await self.page(list_id, **query)
        found: list[Json] = page["data"]
        while page["next_cursor"]:
            page = await self.page(list_id, cursor=page["next_cursor"], **query)
            found += page["data"]
        return found

    async def mend(self, list_id: str, row: int, *, dry_run: bool = False, **change: Any) -> Any:
        params = {"dry_run": "true"} if dry_run else {}
        return await self.http.patch(f"{LISTS}/{list_id}/rows/{row}", json=change, params=params)

    async def remove(self, list_id: str, row: int) -> httpx2.Response:
        return await self.http.delete(f"{LISTS}/{list_id}/rows/{row}")

    async def delete(self, list_id: str) -> httpx2.Response:
        return await self.http.delete(f"{LISTS}/{list_id}")

    async def kept(self) -> tuple[int, ...]:
        """How many lists there are, and files in them."""
        return tuple(await self.desk.pool.fetchrow(KEPT))

    async def nothing_astray(self) -> None:
        """Until no row is stored that is not of a list or of a batch."""
        await until(lambda: self.desk.pool.fetchval(NOTHING_ASTRAY))


def counts(answer: Json) -> tuple[int, int, int]:
    return answer["accepted"], answer["rejected"], answer["duplicates"]


def row_codes(row: Json) -> list[str]:
    return [error["code"] for error in row["errors"]]
