"""Results are read whole, in part and on from anywhere, by however slow a reader."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from contracts.batches import BatchDeleted
from contracts.outcomes import Outcome
from services.projections import results as read
from services.projections.domain.result import Result
from tests.batch_story import Story, a_story, until_counted
from tests.counter import until
from tests.read_side import ReadSide, read_side

SLOW_READERS = 20


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads batches of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "PAGE_ROWS", 2)


async def results(reads: ReadSide, story: Story, kind: str = "csv", **asked: Any) -> bytes:
    answer = await reads.http.get(f"/v1/batches/{story.batch_id}/results.{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.content


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


async def a_batch(reads: ReadSide, people: int = 7) -> Story:
    """The first has been called, the second is called just now, nobody else."""
    story = await a_story(reads, people=people)
    ended = [story.queued(1), story.placing(1), story.completed(1, Outcome.VOICEMAIL)]
    await reads.log([story.created(), story.chunk(), *ended, story.conversation(1)])
    await reads.log([story.queued(2)])
    await until_counted(reads, story, completed=1, queued=1)
    await reads.caught_up()
    return story


def opened(reads: ReadSide, story: Story) -> AsyncIterator[list[Result]]:
    asked = read.Asked(story.account, story.batch_id)
    return read.pages(reads.service.ground.pool, asked, read.BEGIN)


async def test_results_tell_of_each_person_how_the_last_call_went(reads: ReadSide) -> None:
    story = await a_batch(reads, people=3)
    answer = await reads.http.get(f"/v1/batches/{story.batch_id}/results.csv")
    saved = answer.headers["Content-Disposition"]
    assert saved == f'attachment; filename="results-{story.batch_id}.csv"'
    first, second, third = table(answer.content)
    assert list(first)[:6] == ["row", "phone_number", "name", "status", "outcome", "attempts"]
    assert list(first)[-1] == "z"
    told = {
        "row": "1", "phone_number": "+33600000001", "name": "P1", "status": "COMPLETED",
        "outcome": "voicemail", "attempts": "1", "call_id": str(story.call_id(1)),
        "ended_at": "2026-05-04T09:00:10.000000Z", "cost": "0.25", "currency": "USD",
        "recording_url": "https://recordings.test/1", "collected": '{"mood":"fine"}', "z": "1",
    }  # fmt: skip
    assert told.items() <= first.items()
    assert (second["status"], second["call_id"]) == ("QUEUED", str(story.call_id(2)))
    assert (third["status"], third["call_id"], third["attempts"]) == ("PENDING", "", "0")


async def test_each_status_and_outcome_has_its_own_results(reads: ReadSide) -> None:
    story = await a_batch(reads)
    assert [row["row"] for row in table(await results(reads, story, status="QUEUED"))] == ["2"]
    assert [row["row"] for row in table(await results(reads, story, outcome="voicemail"))] == ["1"]
    assert table(await results(reads, story, outcome="busy")) == []
    with_mark = await results(reads, story, bom="true")
    assert with_mark == b"\xef\xbb\xbf" + await results(reads, story)


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_a_download_goes_on_behind_any_of_its_lines(reads: ReadSide, kind: str) -> None:
    story = await a_batch(reads)
    whole = await results(reads, story, kind)
    header = int(kind == "csv")
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 7 + header
    for row in range(1, 8):
        behind = await results(reads, story, kind, cursor=story.recipient_id(row))
        assert behind == b"".join(lines[row + header :])


async def test_what_is_not_understood_is_refused_before_anything_is_sent(reads: ReadSide) -> None:
    story = await a_batch(reads)
    path = f"/v1/batches/{story.batch_id}/results.csv"
    assert await reads.refusal(path, status="completed") == (422, "filter_invalid")
    assert await reads.refusal(path, outcome="COMPLETED") == (422, "filter_invalid")
    assert await reads.refusal(path, cursor="7") == (422, "cursor_invalid")
    assert await reads.refusal(path, cursor=str(story.batch_id)) == (422, "cursor_invalid")
    assert (await reads.refusal(path, limit="7"))[0] == 422
    nobodys = f"/v1/batches/{story.addition_id}/results.jsonl"
    assert await reads.refusal(nobodys) == (404, "batch_not_found")


@pytest.mark.usefixtures("short_pages")
async def test_twenty_slow_readers_hold_no_connection(reads: ReadSide) -> None:
    story, pool = await a_batch(reads), reads.service.ground.pool
    downloads = [opened(reads, story) for _ in range(SLOW_READERS)]
    begun = [[result.row for result in await anext(each)] for each in downloads]
    assert begun == [[1, 2]] * SLOW_READERS
    assert pool.get_max_size() < SLOW_READERS
    await reads.get(f"/v1/batches/{story.batch_id}")
    rest = [[result.row for page in [it async for it in each] for result in page]
            for each in downloads]  # fmt: skip
    assert rest == [[3, 4, 5, 6, 7]] * SLOW_READERS


async def test_a_page_is_bounded_in_bytes_and_nobody_is_left_out(
    reads: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "PAGE_BYTES", 1)
    story = await a_batch(reads)
    assert [[it.row for it in page] async for page in opened(reads, story)] == [
        [row] for row in range(1, 8)
    ]


@pytest.mark.usefixtures("short_pages")
async def test_the_results_of_a_deleted_batch_end_at_once(reads: ReadSide) -> None:
    story = await a_batch(reads)
    download = opened(reads, story)
    await anext(download)
    await reads.log([story.command(BatchDeleted, 2)])
    await reads.caught_up()
    with pytest.raises(read.GoneError):
        assert len([page async for page in download]) <= 1


@pytest.mark.usefixtures("short_pages")
async def test_a_client_notices_that_a_download_was_cut(
    reads: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = await a_batch(reads)
    page = read._page

    async def until_it_is_gone(pool: Any, asked: Any, after: Any) -> list[Result]:
        if after != read.BEGIN:
            raise read.GoneError
        return await page(pool, asked, after)

    monkeypatch.setattr(read, "_page", until_it_is_gone)
    with pytest.raises(httpx2.RemoteProtocolError):
        await results(reads, story, "jsonl")


async def test_no_connection_stays_busy_when_a_reader_goes_away(reads: ReadSide) -> None:
    story, pool = await a_batch(reads), reads.service.ground.pool
    download = opened(reads, story)
    await anext(download)
    await download.aclose()  # type: ignore[attr-defined]
    await reads.http.get(f"/v1/batches/{story.batch_id}")

    async def let_go() -> bool:
        return bool(pool.get_size() - pool.get_idle_size() <= 1)  # who listens has one

    await until(let_go)
