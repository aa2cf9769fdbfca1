"""The two HTTP surfaces as commands use them; a problem comes back in the server's own words."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2

from cli.endpoints import Endpoints

Json = dict[str, Any]
POSITION, MIN_POSITION = "Rollcall-Position", "Rollcall-Min-Position"


def in_utf8(text: str) -> str:
    """A file may have a name in no encoding at all; what is sent has one."""
    return text.encode(errors="replace").decode()


def path_of(batch_id: str) -> str:
    return f"/v1/batches/{quote(in_utf8(batch_id), safe='')}"


class RefusedError(Exception):
    """The server said no: its own title, detail and errors, as lines to print."""

    def __init__(self, status: int, problem: Json) -> None:
        self.problem = problem or {"title": f"HTTP {status}"}
        super().__init__("\n".join(self._lines(self.problem)))

    @staticmethod
    def _lines(problem: Json) -> list[str]:
        said = [str(problem[key]) for key in ("title", "detail") if problem.get(key)]
        head = " ".join(dict.fromkeys(said))
        rows = [
            f"  row {error['row']}, {error['field']}: {error['message']}"
            if error.get("row")
            else f"  {error['field']}: {error['message']}"
            for error in problem.get("errors") or ()
        ]
        return [head, *rows]


class Client:
    """Reads wait for what this client has written: it carries the newest position along."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._http = httpx2.AsyncClient(timeout=120)
        self._position: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def put(self, path: str, body: Json) -> Json:
        return await self._command("PUT", path, json=body)

    async def delete(self, path: str) -> Json:
        return await self._command("DELETE", path)

    async def suppress_all(self, file: Path, source: str, key: str | None = None) -> Json:
        """Uploads a CSV of numbers never to be called; the file is streamed."""
        with file.open("rb") as rows:
            return await self._command(
                "POST",
                "/v1/suppressions",
                files={"file": (in_utf8(file.name), rows, "text/csv")},
                data={"source": in_utf8(source)},
                headers={"Idempotency-Key": key} if key is not None else {},
            )

    async def create_batch(self, file: Path, batch: Json, key: str | None = None) -> Json:
        """Uploads the CSV with its settings; the file is streamed."""
        with file.open("rb") as rows:
            return await self._command(
                "POST",
                "/v1/batches",
                files={"file": (in_utf8(file.name), rows, "text/csv")},
                data={"batch": in_utf8(json.dumps(batch, ensure_ascii=False))},
                headers={"Idempotency-Key": key} if key is not None else {},
            )

    async def read(self, path: str, **query: str | int | None) -> Json:
        given = {name: value for name, value in query.items() if value is not None}
        headers = {MIN_POSITION: self._position} if self._position else {}
        answer = await self._http.get(
            self._endpoints.projections + path, params=given, headers=headers
        )
        return self._body(answer)

    async def _command(self, method: str, path: str, **content: Any) -> Json:
        answer = await self._http.request(method, self._endpoints.ingest + path, **content)
        body = self._body(answer)
        self._position = answer.headers.get(POSITION, self._position)
        return body

    @staticmethod
    def _body(answer: httpx2.Response) -> Json:
        try:
            body: Json = answer.json() if answer.content else {}
        except ValueError:
            body = {"title": f"HTTP {answer.status_code}", "detail": answer.text[:200]}
        if answer.is_error:
            raise RefusedError(answer.status_code, body)
        return body
