"""Who is not to be called: one entry a number, told in the log by digest, never by the number."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations

import asyncpg
import pytest

from chassis.queries import check_queries
from chassis.records import Received
from chassis.vault import account_scope, pepper_scope
from contracts.directory import SuppressionAdded, SuppressionEvent, SuppressionRemoved
from contracts.sealed import digest_of
from services.ingest.handlers import fold
from services.ingest.suppressions import store
from services.ingest.suppressions.reading import PORTION
from tests.conftest import DatabaseFactory
from tests.desk import Desk, Json, a_batch, codes, open_desk, settings_for
from tests.suppressing import ANN, BOB, in_an_hour, suppressed, upload

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture
async def desk(kafka: str, database: DatabaseFactory, topic_prefix: str) -> AsyncIterator[Desk]:
    async with open_desk(await settings_for(kafka, database, topic_prefix)) as desk:
        yield desk


async def test_a_number_is_suppressed_shown_and_lifted(desk: Desk) -> None:
    until_then = in_an_hour()
    body = {"reason": "Ann asked us to stop", "expires_at": until_then}
    put = await desk.http.put(f"/v1/suppressions/{ANN}", json=body)
    assert put.status_code == 200, put.text
    entry = put.json()
    assert datetime.fromisoformat(entry.pop("expires_at")) == datetime.fromisoformat(until_then)
    said = {"phone_number": ANN, "source": "api", "reason": body["reason"], "active": True}
    assert entry == said
    assert (await desk.http.get(f"/v1/suppressions/{ANN}")).json() == put.json()
    assert ANN in await suppressed(desk)
    assert BOB not in await suppressed(desk)
    assert ANN not in await suppressed(desk, datetime.now(UTC) + timedelta(hours=2))

    lifted = await desk.http.delete(f"/v1/suppressions/{ANN}")
    assert lifted.status_code == 204
    assert put.headers["Rollcall-Position"] != lifted.headers["Rollcall-Position"]
    assert not await suppressed(desk)
    for answer in (
        await desk.http.get(f"/v1/suppressions/{ANN}"),
        await desk.http.delete(f"/v1/suppressions/{ANN}"),
        await desk.http.delete(f"/v1/suppressions/{BOB}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "suppression_not_found")
    [added] = await desk.log_of(SuppressionAdded)
    [removed] = await desk.log_of(SuppressionRemoved)
    assert (added.version, removed.version) == (1, 2)


async def test_no_number_and_no_reason_is_in_the_log_or_in_a_table(desk: Desk) -> None:
    await desk.http.put(f"/v1/suppressions/{ANN}", json={"reason": "Ann asked us to stop"})
    await upload(desk, f"phone,reason\n{BOB},Bob is the CEO's brother\n12-34,\n")
    events = await desk.log_of(SuppressionAdded, least=2)
    pepper = await desk.service.ground.vault.create(pepper_scope("default"))
    assert {event.digest for event in events} == {digest_of(pepper, n) for n in (ANN, BOB)}
    seal = await desk.service.ground.seals.create(account_scope("default"))
    assert {seal.text(event.reason or "") for event in events} == {
        "Ann asked us to stop",
        "Bob is the CEO's brother",
    }
    rows = [
        f"{name}: {row}"
        for (name,) in await desk.pool.fetch(TABLES)
        for row in await desk.pool.fetch(f'SELECT t::text FROM "{name}" AS t')  # noqa: S608 - ours
    ]
    everything = "\n".join([*rows, *(event.model_dump_json() for event in events)])
    assert "suppressions" in everything
    for word in (ANN[1:], BOB[1:], ANN[1:].encode().hex(), "asked", "brother", "12-34"):
        assert word not in everything


async def test_what_changes_nothing_is_no_event(desk: Desk) -> None:
    body = {"reason": "asked", "expires_at": in_an_hour()}
    first = await desk.http.put(f"/v1/suppressions/{ANN}", json=body)
    again = await desk.http.put(f"/v1/suppressions/{ANN}", json=body)
    assert again.json() == first.json()
    assert again.headers["Rollcall-Position"] == first.headers["Rollcall-Position"]
    await desk.http.put(f"/v1/suppressions/{ANN}")
    events = await desk.log_of(SuppressionAdded, least=2)
    assert [(e.version, e.expires_at is None, e.reason is None) for e in events] == [
        (1, False, False),
        (2, True, True),
    ]


async def test_no_list_takes_a_suppressed_number_in_whatever_form_it_is_written(
    desk: Desk,
) -> None:
    await desk.with_directory()
    await desk.http.put(f"/v1/suppressions/{ANN}")
    written: list[Json] = [
        {"phone_number": ANN},
        {"phone_number": ANN[1:]},
        {"phone_number": ANN, "ignore_e164_validation": True},
        {"phone_number": ANN[1:], "ignore_e164_validation": True},
    ]
    refused = await desk.post(a_batch(recipients=written))
    assert refused.json()["code"] == "no_valid_recipients"
    assert codes(refused) == ["suppressed"] * len(written)
    taken = await desk.post(a_batch(recipients=[*written, {"phone_number": BOB}]))
    assert taken.json()["recipients"]["rejected"] == len(written)
    await desk.http.delete(f"/v1/suppressions/{ANN}")
    assert (await desk.post(a_batch(recipients=written))).status_code == 202


async def test_the_routes_describe_themselves(desk: Desk) -> None:
    paths = (await desk.http.get("/openapi.json")).json()["paths"]
    assert set(paths["/v1/suppressions/{e164}"]) == {"put", "get", "delete"}
    post = paths["/v1/suppressions"]["post"]
    assert set(post["requestBody"]["content"]) == {"text/csv", "multipart/form-data"}
    assert {each["name"].lower() for each in post["parameters"]} == {"source", "idempotency-key"}


REFUSALS: list[tuple[str, Json, str]] = [
    (ANN, {"expires_at": "2020-01-01T00:00:00Z"}, "expires_at_in_past"),
    (ANN, {"expires_at": "2030-01-01T00:00:00"}, "instant_without_zone"),
    (ANN, {"expires_at": 1}, "field_invalid"),
    (ANN, {"reason": "a" * 501}, "field_invalid"),
    (ANN, {"reason": "a\0"}, "field_invalid"),
    (ANN, {"source": "mine"}, "unknown_field"),
    ("12", {}, "phone_not_e164"),
]


async def test_an_entry_that_is_not_right_is_refused_by_name(desk: Desk) -> None:
    for number, body, code in REFUSALS:
        answer = await desk.http.put(f"/v1/suppressions/{number}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert not await suppressed(desk)


async def test_those_who_write_at_once_number_each_entry_without_a_gap(desk: Desk) -> None:
    numbers = [f"+1202{2000000 + n}" for n in range(PORTION + 100)]
    lists = ["\n".join(["phone", *order]) for order in (numbers, numbers[::-1])]
    one = f"/v1/suppressions/{numbers[7]}"
    answers = await asyncio.gather(
        *(upload(desk, text) for text in lists),
        *(desk.http.put(one, json={"reason": f"{n}"}) for n in range(8)),
    )
    uploads = [answer for answer in answers if isinstance(answer, dict)]
    assert sum(answer["added"] for answer in uploads) >= len(numbers) - 1
    events = await desk.log_of(SuppressionAdded, least=len(numbers) + 7)
    versions = defaultdict[str, list[int]](list)
    for event in events:
        versions[event.digest].append(event.version)
    assert len(versions) == len(numbers)
    assert all(told == list(range(1, len(told) + 1)) for told in versions.values())
    assert max(map(len, versions.values())) >= 8


async def test_in_whatever_order_the_newest_word_on_a_number_counts(desk: Desk) -> None:
    said = {"account_id": "default", "at": datetime.now(UTC), "actor": "test", "source": "test"}
    for digest, order in enumerate(permutations((1, 2, 3))):
        story: list[SuppressionEvent] = [
            SuppressionAdded(**said, version=1, digest=f"{digest:064x}"),
            SuppressionRemoved(**said, version=2, digest=f"{digest:064x}"),
            SuppressionAdded(**said, version=3, digest=f"{digest:064x}", reason="sealed"),
        ]
        records = [
            Received(story[version - 1], "topic", 0, 0, None, "id") for version in (*order, 1)
        ]
        async with desk.pool.acquire() as conn:
            await fold(conn, records[:2])
            await fold(conn, records[1:])
    rows = await desk.pool.fetch("SELECT DISTINCT version, active, reason FROM suppressions")
    assert [tuple(row) for row in rows] == [(3, True, "sealed")]


async def test_a_lost_database_learns_who_is_suppressed_from_the_log(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    settings = await settings_for(kafka, database, topic_prefix)
    async with open_desk(settings) as desk:
        await desk.http.put(f"/v1/suppressions/{ANN}", json={"reason": "asked"})
        await desk.http.put(f"/v1/suppressions/{BOB}")
        await desk.http.delete(f"/v1/suppressions/{BOB}")
        await desk.log_of(SuppressionRemoved)
    empty = (await settings_for(kafka, database, topic_prefix)).postgres_dsn
    async with open_desk(settings.model_copy(update={"postgres_dsn": empty})) as desk:
        assert (await desk.http.get(f"/v1/suppressions/{ANN}")).json()["reason"] == "asked"
        assert (await desk.http.get(f"/v1/suppressions/{BOB}")).status_code == 404
        await desk.http.put(f"/v1/suppressions/{BOB}")
        versions = [event.version for event in await desk.log_of(SuppressionAdded, least=3)]
        assert sorted(versions) == [1, 1, 3]


async def test_every_query_fits_the_schema(desk: Desk) -> None:
    async with desk.pool.acquire() as conn:
        await check_queries(conn, store.Q)


async def test_a_pepper_that_is_lost_is_not_replaced_and_nobody_is_taken(desk: Desk) -> None:
    await desk.with_directory()
    assert (await desk.http.put(f"/v1/suppressions/{ANN}")).status_code == 200
    vault = await asyncpg.connect(desk.settings.vault_dsn.get_secret_value())
    await vault.execute("DELETE FROM keys WHERE scope LIKE 'pepper:%'")
    typed = {"recipients": [{"phone_number": ANN}]}
    for answer in (
        await desk.http.post("/v1/recipient-lists", json=typed),
        await desk.post(a_batch(**typed)),
        await desk.http.put(f"/v1/suppressions/{BOB}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "pepper_lost"), answer.text
    ready = await desk.http.get("/readyz")
    assert ready.status_code == 503
    assert "restore it" in ready.json()["suppressions"]["wrong"]
    assert await vault.fetchval("SELECT count(*) FROM keys WHERE scope LIKE 'pepper:%'") == 0
    await vault.close()
