"""Whoever follows a batch or the list hears all of it, once and in order, whatever happens."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts import batches, status
from contracts.outcomes import Outcome
from contracts.statuses import BatchStatus
from tests.batch_story import AT, Story, a_story
from tests.listening import Follower, following, positions
from tests.read_side import ReadSide, another, read_side


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[ReadSide]:
    async with read_side(kafka, postgres, heartbeat_seconds=0.3) as side:
        yield side


async def a_running_batch(reads: ReadSide, people: int = 5) -> Story:
    story = await a_story(reads, people)
    await reads.log([story.created(), story.chunk(), story.started()])
    await reads.caught_up()
    return story


def of(story: Story) -> str:
    return f"/v1/batches/{story.batch_id}/events"


def has(count: int, event: str = "entry") -> Callable[[Follower], bool]:
    return lambda follower: len(follower.of(event)) >= count


async def test_a_snapshot_comes_first_then_every_entry_with_the_ids_of_the_timeline(
    reads: ReadSide,
) -> None:
    story = await a_running_batch(reads)
    async with following(reads.http, of(story)) as one, following(reads.http, of(story)) as other:
        await one.until(has(1, "snapshot"))
        await other.until(has(1, "snapshot"))
        await reads.log([story.queued(1), story.placing(1), story.completed(1, Outcome.BUSY)])
        await one.until(has(3))
        await other.until(has(3))
    assert one.heard[0].event == "snapshot"
    assert one.heard[0].data["recipients"]["total"] == story.people
    assert one.heard[0].data["reset"] is False
    assert [each.id for each in one.of("entry")] == [each.id for each in other.of("entry")]
    told = await reads.pages(f"/v1/batches/{story.batch_id}/timeline")
    by_id = {entry["event_id"]: entry for entry in told}
    assert all(by_id[each.data["event_id"]] == each.data for each in one.of("entry"))
    assert len(by_id) == 6


async def test_who_comes_back_hears_exactly_what_was_missed(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    async with following(reads.http, of(story)) as follower:
        await reads.log([story.queued(1), story.queued(2)])
        await follower.until(has(2))
        last = follower.of("entry")[0].id
    await reads.log([story.queued(3)])
    await reads.caught_up()
    async with following(reads.http, of(story), last) as back:
        await reads.log([story.queued(4)])
        await back.until(has(3))
    assert not back.of("snapshot")
    told = [each.data["recipient_id"] for each in back.heard]
    assert sorted(told[1:]) == sorted(str(story.recipient_id(row)) for row in (3, 4))
    assert positions(back.heard) == sorted(set(positions(back.heard)))


async def test_whoever_was_away_for_long_still_hears_it_all(reads: ReadSide) -> None:
    story = await a_running_batch(reads, people=1200)
    async with following(reads.http, of(story)) as follower:
        await follower.until(has(1, "snapshot"))
        first = follower.last_id
    await reads.log([story.queued(row) for row in range(1, 1201)])
    await reads.caught_up()
    async with following(reads.http, of(story), first) as back:
        await back.until(has(1200))
    assert len({each.data["event_id"] for each in back.of("entry")}) == len(back.heard) == 1200


async def test_whoever_has_seen_all_goes_on_where_the_last_events_came_twice(
    reads: ReadSide,
) -> None:
    story = await a_running_batch(reads, people=300)
    queued = [story.queued(row) for row in range(1, 301)]
    await reads.log(queued)
    await reads.caught_up()
    before = f"{await generation(reads, story)}-0"
    async with following(reads.http, of(story), before) as follower:
        await follower.until(has(303))
        last = follower.last_id
    await reads.log(queued)
    await reads.caught_up()
    async with following(reads.http, of(story), last) as back:
        await back.until(lambda it: it.comments)
        await reads.log([story.placing(1)])
        await back.until(has(1))
    assert len(back.heard) == 1


async def test_no_id_opens_the_batch_of_another_account_or_one_that_is_not(
    reads: ReadSide,
) -> None:
    story = await a_running_batch(reads)
    missing = uuid4()
    theirs, going = [
        Story(await reads.seal(batch_id), batch_id, 3, account="acme")
        for batch_id in (uuid4(), uuid4())
    ]
    await reads.log([theirs.created(), theirs.chunk(), theirs.started()])
    await reads.log([going.created(), going.command(batches.BatchDeleted, 2)])
    await reads.caught_up()
    known = {"Last-Event-ID": f"{await generation(reads, story)}-0"}
    for batch_id in (theirs.batch_id, going.batch_id, missing):
        path = f"/v1/batches/{batch_id}/events"
        async with reads.http.stream("GET", path, headers=known) as answer:
            assert answer.status_code == 404


async def generation(reads: ReadSide, story: Story) -> str:
    """As the ids name it."""
    async with following(reads.http, of(story)) as follower:
        await follower.until(has(1, "snapshot"))
    return str(follower.last_id).partition("-")[0]


@pytest.mark.parametrize(
    "unknown", ["", "7.00000000-1", "{}-999999", "no id of ours", "1-1", "{}-1-1", "{}0-1"]
)
async def test_an_id_of_another_model_begins_anew_and_says_so(
    reads: ReadSide, unknown: str
) -> None:
    story = await a_running_batch(reads)
    last = unknown.format(await generation(reads, story))
    async with following(reads.http, of(story), last) as follower:
        await follower.until(has(1, "snapshot"))
    assert follower.heard[0].data["reset"] is True


async def test_the_end_of_a_deleted_batch_is_told_and_the_stream_ends(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    async with following(reads.http, of(story)) as follower:
        await follower.until(has(1, "snapshot"))
        await reads.log([story.command(batches.BatchDeleted, 2)])
        await follower.until(lambda it: it.ended)
    assert follower.heard[-1].event == "deleted"
    async with following(reads.http, of(story), follower.last_id) as back:
        await back.until(lambda it: it.ended)
    assert [each.event for each in back.heard] == ["deleted"]
    answer = await reads.http.get(of(story))
    assert answer.status_code == 404


async def test_nobody_follows_what_there_is_not(reads: ReadSide) -> None:
    missing = "/v1/batches/00000000-0000-0000-0000-000000000001"
    assert (await reads.http.get(f"{missing}/events")).status_code == 404
    assert (await reads.http.get(f"{missing}/timeline")).status_code == 404
    assert (await reads.http.get("/v1/batches/events", params={"a": 1})).status_code == 422


async def test_the_list_tells_of_each_batch_that_changes_and_of_those_that_go(
    reads: ReadSide,
) -> None:
    story, other = await a_running_batch(reads), await a_running_batch(reads)
    async with following(reads.http, "/v1/batches/events") as follower:
        await follower.until(has(1, "snapshot"))
        newest = follower.heard[0].data["data"]
        assert {str(story.batch_id), str(other.batch_id)} <= {one["batch_id"] for one in newest}
        await reads.log([story.queued(1), story.queued(2)])
        await follower.until(lambda it: counted(it, story, queued=2))
        last = follower.last_id
    await reads.log([other.queued(1), story.command(batches.BatchDeleted, 2)])
    await reads.caught_up()
    async with following(reads.http, "/v1/batches/events", last) as back:
        await back.until(has(1, "deleted"))
        await back.until(lambda it: counted(it, other, queued=1))
    assert not back.of("snapshot")
    assert back.of("deleted")[0].data == {"batch_id": str(story.batch_id)}
    assert len(positions(back.heard)) == len(set(positions(back.heard)))


def counted(follower: Follower, story: Story, **counts: int) -> bool:
    shown = [
        each.data["recipients"]
        for each in follower.of("batch")
        if each.data["batch_id"] == str(story.batch_id)
    ]
    return bool(shown) and counts.items() <= shown[-1].items()


async def test_a_silent_stream_says_that_it_is_still_there(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    async with following(reads.http, of(story)) as follower:
        await follower.until(lambda it: it.comments >= 2)


async def test_a_stream_goes_on_elsewhere_when_its_process_stops(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    async with contextlib.AsyncExitStack() as leaving:
        async with another(reads) as other:
            gone = await leaving.enter_async_context(following(other.http, of(story)))
            await gone.until(has(1, "snapshot"))
            await reads.log([story.queued(1), story.queued(2)])
            await gone.until(has(2))
        await gone.until(lambda it: it.ended)
        await reads.log([story.queued(3), story.queued(4)])
        async with following(reads.http, of(story), gone.last_id) as here:
            await here.until(has(2))
    heard = gone.of("entry") + here.of("entry")
    assert len({each.data["event_id"] for each in heard}) == len(heard) == 4
    assert positions(heard) == sorted(positions(heard))
    assert not here.of("snapshot")


async def test_the_timeline_tells_who_asked(reads: ReadSide) -> None:
    story = await a_story(reads)
    refused = story.command(batches.BatchStartRequested, 2)
    assert isinstance(refused, batches.BatchCommand)
    verdict = story.status(
        status.BatchActionRejected,
        BatchStatus.RUNNING,
        action="start",
        refusal="action_not_allowed",
        command_no=2,
        command_id=refused.command_id,
    )
    await reads.log([story.created(), story.chunk(), story.started(), refused, verdict])
    await reads.caught_up()
    path = f"/v1/batches/{story.batch_id}/timeline"
    (entry,) = (await reads.get(path, type="BatchActionRejected"))["data"]
    assert (entry["actor"], entry["data"]["refusal"]) == ("api", "action_not_allowed")
    told = await reads.pages(path, limit=2)
    assert [each["type"] for each in told] == await types_told(reads, story)
    assert len(told) == 5
    text = str(told)
    assert "P1" not in text and "+3360000" not in text and "Spring" not in text  # noqa: PT018
    assert await reads.refusal(path, type="Nothing") == (422, "filter_invalid")
    assert await reads.refusal(path, cursor="x") == (422, "cursor_invalid")


async def test_a_batch_is_read_as_of_an_instant(reads: ReadSide) -> None:
    story = await a_running_batch(reads)
    path = f"/v1/batches/{story.batch_id}"
    then = await reads.get(path, as_of=AT.isoformat())
    assert (then["name"], then["recipients"]["total"]) == ("Spring", 5)
    before = (AT - timedelta(seconds=1)).isoformat()
    assert await reads.refusal(path, as_of=before) == (404, "batch_not_found")
    assert await reads.refusal(path, as_of="2026-05-04T09:00:00") == (422, "instant_without_zone")
    now = await reads.get(path)
    assert await reads.get(path, as_of="2100-01-01T00:00:00Z") == now


async def types_told(reads: ReadSide, story: Story) -> list[str]:
    told = await reads.pages(f"/v1/batches/{story.batch_id}/timeline")
    return [entry["type"] for entry in told]
