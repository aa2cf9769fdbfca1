"""Numbers are suppressed through HTTP, and read back as those who check a list see them."""

from datetime import UTC, datetime, timedelta

from chassis.vault import pepper_scope
from services.ingest.reading.policy import Suppressed
from services.ingest.suppressions import store
from tests.desk import Desk, Json

ANN, BOB = "+12025551001", "+12025551002"
CSV = {"Content-Type": "text/csv"}


async def upload(desk: Desk, text: str, **more: str) -> Json:
    answer = await desk.http.post(
        "/v1/suppressions", content=text.encode(), headers=CSV, params=more
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def suppressed(desk: Desk, at: datetime | None = None) -> Suppressed:
    pepper = await desk.service.ground.vault.create(pepper_scope("default"))
    async with desk.pool.acquire() as conn:
        return await store.suppressed_of(conn, "default", pepper, at or datetime.now(UTC))


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()
