"""Results are read whole, in part and on from anywhere, by however slow a reader."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.outcomes import Outcome
from tests.batch_story import Story, a_story, until_counted
from tests.read_side import ReadSide, read_side


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    """One for all: each test reads batches of its own."""
    async with read_side(kafka, postgres) as side:
        yield side


async def results(reads: ReadSide, story: Story, kind: str = "csv", **asked: Any) -> bytes:
    answer = await reads.http.get(f"/v1/batches/{story.batch_id}/results.{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.content


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


async def test_results_tell_of_each_person_how_the_last_call_went(reads: ReadSide) -> None:
    story = await a_story(reads, people=3)
    await reads.log([story.created(), story.chunk(), story.queued(1), story.placing(1)])
    await reads.log([story.completed(1, Outcome.VOICEMAIL), story.conversation(1)])
    await until_counted(reads, story, completed=1, pending=2)
    await reads.caught_up()
    body = await results(reads, story)
    assert [row["row"] for row in table(body)] == ["1", "2", "3"]
