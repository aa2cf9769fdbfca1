"""What is asked again is answered in a word, what is long is sent short, and a stream stays one."""

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.middleware.gzip import GZipMiddleware

from chassis.unchanged import Unchanged
from contracts.published import schema_name
from contracts.topics import TOPIC_OF
from deploy.export import FOLDER
from tests.batch_story import Story, a_story, position, until_counted
from tests.read_side import ReadSide, read_side

Headers = dict[str, str]


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    async with read_side(kafka, postgres) as side:
        yield side


@pytest.fixture(scope="module")
async def story(reads: ReadSide) -> Story:
    """Eighty people who are not called yet."""
    story = await a_story(reads, people=80)
    await reads.log([story.created(), story.chunk()])
    await until_counted(reads, story, pending=80)
    await reads.caught_up()
    return story


async def ask(reads: ReadSide, path: str, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await reads.http.get(path, headers=named)


async def test_a_batch_that_is_as_it_was_is_answered_304_until_anything_of_it_changes(
    reads: ReadSide, story: Story
) -> None:
    path = f"/v1/batches/{story.batch_id}"
    first = await ask(reads, path)
    tag = first.headers["ETag"]
    same = await ask(reads, path, If_None_Match=tag)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert "content-length" not in same.headers
    await reads.log([story.queued(1)])
    await reads.caught_up()
    other = await ask(reads, path, If_None_Match=f'"of-another", {tag}')
    assert other.status_code == 200
    assert other.headers["ETag"] != tag
    assert other.json()["recipients"] != first.json()["recipients"]


async def test_a_tag_does_not_answer_before_the_model_has_reached_the_position(
    reads: ReadSide, story: Story
) -> None:
    path = f"/v1/batches/{story.batch_id}"
    tag = (await ask(reads, path)).headers["ETag"]
    there = position("batch", story.batch_id, "command", 1)
    ahead = position("batch", story.batch_id, "command", 2)
    reached = await ask(reads, path, If_None_Match=tag, Rollcall_Min_Position=there)
    waiting = await ask(reads, path, If_None_Match=tag, Rollcall_Min_Position=ahead)
    assert (reached.status_code, waiting.status_code) == (304, 503)


async def test_other_single_reads_and_pages_have_a_tag_and_a_problem_has_none(
    reads: ReadSide, story: Story
) -> None:
    people = f"/v1/batches/{story.batch_id}/recipients"
    for path in (people, f"{people}/{story.recipient_id(2)}", "/v1/agents"):
        tag = (await ask(reads, path)).headers["ETag"]
        assert (await ask(reads, path, If_None_Match=tag)).status_code == 304
    missing = await ask(reads, f"/v1/calls/{story.batch_id}", If_None_Match="*")
    assert missing.status_code == 404
    assert "ETag" not in missing.headers


async def test_a_long_answer_is_gzipped_for_who_takes_it_under_the_same_tag(
    reads: ReadSide, story: Story
) -> None:
    path = f"/v1/batches/{story.batch_id}/recipients"
    plain = await ask(reads, path, Accept_Encoding="identity")
    short = await ask(reads, path, Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert short.headers["content-encoding"] == "gzip"
    assert int(short.headers["content-length"]) < len(plain.content) / 3
    assert plain.headers["vary"] == short.headers["vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] == short.headers["ETag"]
    assert plain.content == short.content


async def test_the_events_contract_is_served_as_the_repository_holds_it(reads: ReadSide) -> None:
    asyncapi = await ask(reads, "/asyncapi.json")
    assert asyncapi.headers["content-type"] == "application/vnd.aai.asyncapi+json;version=3.0.0"
    assert asyncapi.content == (FOLDER / "asyncapi.json").read_bytes()
    index = (await ask(reads, "/schemas")).json()["data"]
    assert {each["schema_path"] for each in index} == {
        f"/schemas/{schema_name(event)}" for event in TOPIC_OF
    }
    for each in index:
        served = await ask(reads, each["schema_path"])
        assert served.headers["content-type"] == "application/schema+json"
        assert served.json()["title"] == each["type"]
        assert served.content == (FOLDER / each["schema_path"].rpartition("/")[2]).read_bytes()
    for name in ("BatchCreated.v9.json", "asyncapi.json", "..%2Ftopics.py"):
        assert (await ask(reads, f"/schemas/{name}")).status_code == 404


def streaming(media_type: str) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def read() -> StreamingResponse:
        def parts() -> Iterator[bytes]:
            yield json.dumps(["x" * 40_000]).encode()
            yield b"\n"

        return StreamingResponse(parts(), media_type=media_type)

    app.add_middleware(Unchanged)
    app.add_middleware(GZipMiddleware, minimum_size=10)
    return app


@asynccontextmanager
async def asking(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://reads") as client:
        yield client


async def test_live_events_are_sent_as_they_are() -> None:
    async with asking(streaming("text/event-stream")) as client:
        answer = await client.get("/", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert "ETag" not in answer.headers


async def test_a_streamed_export_is_gzipped_part_by_part_and_has_no_tag() -> None:
    async with (
        asking(streaming("application/json")) as client,
        client.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        raw = [part async for part in answer.aiter_raw() if part]
    assert "ETag" not in answer.headers
    assert "content-length" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(b"".join(raw)).endswith(b'"]\n')
