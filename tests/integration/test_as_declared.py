"""Whatever is asked, both services answer as their OpenAPI documents say, and never with a 5xx."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from contracts.ids import addition_id_of, recipient_id_of
from contracts.outcomes import Outcome
from tests.batch_story import a_story, until_counted
from tests.conformance import Surface
from tests.conftest import databases
from tests.desk import AGENT, CALLER, Desk, a_batch, open_desk, recipients, settings_for
from tests.others import patience
from tests.read_side import ReadSide, read_side

pytestmark = pytest.mark.filterwarnings(
    # The service runs in this process, and may draw a number while an example is made.
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
FEW, MANY = 2, 100


@pytest.fixture(scope="module")
async def reads(kafka: str, postgres: str) -> AsyncIterator[Surface]:
    async with read_side(kafka, postgres) as side:
        yield await _of_reads(side)


async def _of_reads(side: ReadSide) -> Surface:
    story = await a_story(side, people=3)
    await side.log(
        [
            story.created(rejected=1),
            story.chunk(),
            story.rejected(),
            story.queued(1),
            story.placing(1),
            story.completed(1, Outcome.COMPLETED),
            story.conversation(1),
        ]
    )
    await until_counted(side, story, completed=1)
    await side.caught_up()
    known = {
        "batch_id": str(story.batch_id),
        "recipient_id": str(story.recipient_id(1)),
        "call_id": str(story.call_id(1)),
        "name": "CallCompleted.v2.json",
    }
    document = (await side.http.get("/openapi.json")).json()
    return Surface(str(side.http.base_url), document, known)


@pytest.fixture(scope="module")
async def commands(kafka: str, postgres: str) -> AsyncIterator[Surface]:
    """Nobody gives verdicts here, so that no one waits long for one."""
    async with databases(postgres) as database:
        settings = await settings_for(kafka, database, f"t{uuid4().hex[:10]}.")
        async with open_desk(settings) as desk:
            await desk.with_directory()
            with patience(0.02):
                yield await _of_commands(desk)


async def _of_commands(desk: Desk) -> Surface:
    batch = (await desk.post(a_batch(recipients=recipients(3)))).json()
    made = await desk.http.post("/v1/recipient-lists", json={"recipients": recipients(2)})
    known = {
        "batch_id": batch["batch_id"],
        "recipient_id": str(recipient_id_of(addition_id_of(UUID(batch["batch_id"]), 1), 1)),
        "list_id": made.json()["list_id"],
        "row": "1",
        "agent_id": AGENT,
        "e164": CALLER,
    }
    document = (await desk.http.get("/openapi.json")).json()
    return Surface(str(desk.http.base_url), document, known)


async def test_reads_are_answered_as_declared(reads: Surface) -> None:
    assert await reads.disagreements(FEW) == []


async def test_commands_are_answered_as_declared(commands: Surface) -> None:
    assert await commands.disagreements(FEW) == []


def test_every_read_and_whatever_it_may_be_asked_with_is_described(reads: Surface) -> None:
    operations = {
        f"{method} {path}": operation
        for path, methods in reads.document["paths"].items()
        for method, operation in methods.items()
    }
    assert [name for name, it in operations.items() if not it.get("description")] == []
    assert [
        (name, parameter["name"])
        for name, it in operations.items()
        for parameter in it.get("parameters", ())
        if parameter["in"] != "path" and not parameter.get("description")
    ] == []


@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_reads_and_commands_are_answered_as_declared_however_long_one_asks(
    reads: Surface, commands: Surface
) -> None:
    assert await reads.disagreements(MANY, of_nothing=True) == []
    assert await commands.disagreements(MANY, of_nothing=True) == []
