"""The two HTTP surfaces as commands use them; a problem comes back in the server's own words."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
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


def path_of_recipients(batch_id: str, recipient_id: str | None = None) -> str:
    path = f"{path_of(batch_id)}/recipients"
    return path if recipient_id is None else f"{path}/{quote(in_utf8(recipient_id), safe='')}"


def path_of_list(list_id: str, row: int | None = None) -> str:
    path = f"/v1/recipient-lists/{quote(in_utf8(list_id), safe='')}"
    return path if row is None else f"{path}/rows/{row}"


def _whole(file: Path) -> bytes:
    return file.read_bytes()


def _recipients(file: Path) -> Json:
    """Of a JSON file as a list is made of, too.  Raises RefusedError."""
    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        raise RefusedError(400, {"title": f"{file} is not JSON: {error}."}) from None
    if not isinstance(found, dict) or set(found) != {"recipients"}:
        raise RefusedError(400, {"title": f'{file} is to hold {{"recipients": [...]}}, no more.'})
    return found


def _under(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}


def _fields(*, mapping: Json | None, **others: Json) -> dict[str, str]:
    """The parts of a form beside the file."""
    said = others if mapping is None else {**others, "mapping": {"columns": mapping}}
    return {name: json.dumps(part, ensure_ascii=False) for name, part in said.items()}


class RefusedError(Exception):
    """The server said no: its own title, detail and errors, as lines to print."""

    def __init__(self, status: int, problem: Json) -> None:
        self.problem = problem or {"title": f"HTTP {status}"}
        super().__init__("\n".join(self._lines(self.problem)))

    @staticmethod
    def _lines(problem: Json) -> list[str]:
        told = ("title",) if problem.get("code") == "action_not_allowed" else ("title", "detail")
        said = [str(problem[key]) for key in told if problem.get(key)]
        head = " ".join(dict.fromkeys(said))
        rows = [
            f"  row {error['row']}, {error['field']}: {error['message']}"
            if error.get("row")
            else f"  {error['field']}: {error['message']}"
            for error in problem.get("errors") or ()
        ]
        allowed = [f"`rollcall batch {it}`" for it in problem.get("allowed_actions") or ()]
        return [head, *rows, *([f"The batch allows {', '.join(allowed)}."] if allowed else ())]


class MisusedError(RefusedError):
    """A read has nothing to refuse but how it was asked."""


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

    async def delete_batch(self, batch_id: str) -> bool:
        """Whether it is over, with its last call."""
        answer = await self._answer("DELETE", path_of(batch_id))
        self._body(answer)
        return answer.status_code == httpx2.codes.NO_CONTENT

    async def post(self, path: str, body: Json, key: str | None = None) -> Json:
        return await self._command("POST", path, json=body, headers=_under(key))

    async def patch(self, path: str, body: Json, **query: str) -> Json:
        return await self._command("PATCH", path, json=body, params=query)

    async def look(self, path: str, **query: str | int | None) -> Json:
        """A read that ingest answers itself."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._found(await self._answer("GET", path, params=given))

    async def suppress_all(self, file: Path, source: str, key: str | None = None) -> Json:
        """Uploads a CSV of numbers never to be called."""
        return await self.upload("/v1/suppressions", file, {"source": source}, key)

    async def create_batch(
        self, file: Path | None, batch: Json, key: str | None = None, mapping: Json | None = None
    ) -> Json:
        """With a CSV or the recipients of a JSON file, or of the list that the batch names."""
        return await self._of_batch("/v1/batches", file, batch, key, mapping)

    async def preview_batch(self, file: Path | None, batch: Json, mapping: Json | None) -> Json:
        return await self._of_batch("/v1/batches/preview", file, batch, None, mapping)

    async def send_list(
        self, path: str, file: Path, mapping: Json | None, key: str | None = None
    ) -> Json:
        """A CSV, or a JSON body as it is."""
        if file.suffix.lower() != ".json":
            return await self.upload(path, file, _fields(mapping=mapping), key)
        headers = {"Content-Type": "application/json", **_under(key)}
        return await self._command("POST", path, content=_whole(file), headers=headers)

    async def upload(
        self, path: str, file: Path, fields: dict[str, str], key: str | None = None
    ) -> Json:
        """The file is streamed."""
        with file.open("rb") as rows:
            return await self._command(
                "POST",
                path,
                files={"file": (in_utf8(file.name), rows, "text/csv")},
                data={name: in_utf8(text) for name, text in fields.items()},
                headers=_under(key),
            )

    async def _of_batch(
        self, path: str, file: Path | None, batch: Json, key: str | None, mapping: Json | None
    ) -> Json:
        if file is not None and file.suffix.lower() != ".json":
            return await self.upload(path, file, _fields(batch=batch, mapping=mapping), key)
        listed = {} if file is None else _recipients(file)
        return await self.post(path, listed | batch, key)

    @asynccontextmanager
    async def streamed(
        self, path: str, query: Mapping[str, str | None]
    ) -> AsyncIterator[httpx2.Response]:
        """A read of any length, as it comes.  Raises RefusedError."""
        given = {name: value for name, value in query.items() if value is not None}
        url, headers = self._endpoints.projections + path, {"Accept-Encoding": "identity"}
        if self._position:
            headers[MIN_POSITION] = self._position
        async with self._http.stream("GET", url, params=given, headers=headers) as answer:
            if answer.is_error:
                await answer.aread()
                self._found(answer)
            yield answer

    async def read(self, path: str, **query: str | int | None) -> Json:
        given = {name: value for name, value in query.items() if value is not None}
        headers = {MIN_POSITION: self._position} if self._position else {}
        answer = await self._http.get(
            self._endpoints.projections + path, params=given, headers=headers
        )
        return self._found(answer)

    async def _command(self, method: str, path: str, **content: Any) -> Json:
        return self._body(await self._answer(method, path, **content))

    async def _answer(self, method: str, path: str, **content: Any) -> httpx2.Response:
        answer = await self._http.request(method, self._endpoints.ingest + path, **content)
        self._position = answer.headers.get(POSITION, self._position)
        return answer

    def _found(self, answer: httpx2.Response) -> Json:
        """Raises RefusedError."""
        try:
            return self._body(answer)
        except RefusedError as refused:
            if answer.status_code == httpx2.codes.UNPROCESSABLE_CONTENT:
                raise MisusedError(answer.status_code, refused.problem) from None
            raise

    @staticmethod
    def _body(answer: httpx2.Response) -> Json:
        """Raises RefusedError."""
        try:
            body: Json = answer.json() if answer.content else {}
        except ValueError:
            body = {"title": f"HTTP {answer.status_code}", "detail": answer.text[:200]}
        if answer.is_error:
            raise RefusedError(answer.status_code, body)
        return body
