"""A lost database comes back from the log: no number is used twice, no batch waits in vain."""

from chassis.vault import batch_scope
from contracts.batches import Addition, BatchCreated, BatchImportFailed
from contracts.directory import AgentRegistered
from contracts.ids import addition_id_of, batch_id_of, command_id_of
from tests.conftest import DatabaseFactory
from tests.counter import until
from tests.desk import AGENT, Desk, a_batch, open_desk, recipients, settings_for


async def test_a_lost_database_is_made_up_for_by_the_log(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    settings = await settings_for(kafka, database, topic_prefix)
    body = a_batch(recipients=recipients(2))
    async with open_desk(settings) as desk:
        await desk.with_directory()
        taken = (await desk.post(body, key="told")).json()
        await desk.swept()
        await announce_without_rows(desk)

    empty = (await settings_for(kafka, database, topic_prefix)).postgres_dsn
    async with open_desk(settings.model_copy(update={"postgres_dsn": empty})) as desk:
        [failed] = await desk.log_of(BatchImportFailed)
        assert (failed.batch_id, failed.command_no) == (batch_id_of("default", "untold"), 2)
        await until(
            lambda: desk.pool.fetchval("SELECT bool_and(state <> 'forgotten') FROM additions")
        )

        again = await desk.post(body, key="told")
        assert (again.status_code, again.json()["code"]) == (409, "batch_exists")
        assert again.headers["Location"] == f"/v1/batches/{taken['batch_id']}"

        await desk.http.put(f"/v1/agents/{AGENT}", json={"name": "Another"})
        versions = [event.version for event in await desk.log_of(AgentRegistered, least=2)]
        assert versions == [1, 2]


async def test_a_vault_of_before_a_delete_forgets_again_what_was_deleted(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    settings = await settings_for(kafka, database, topic_prefix)
    async with open_desk(settings) as desk:
        await desk.with_directory()
        scope = batch_scope((await desk.post(a_batch(recipients=recipients(1)))).json()["batch_id"])
        vault = desk.service.ground.vault
        assert await vault.read(scope) is not None
        await desk.pool.execute("UPDATE batches SET deleted = true, forgotten = true")
    async with open_desk(settings) as desk:
        vault = desk.service.ground.vault

        async def gone() -> bool:
            return await vault.read(scope) is None

        await until(gone)
        assert await vault.knows(scope), "destroyed, not lost"


async def announce_without_rows(desk: Desk) -> None:
    """What a process leaves in the log if its database dies before a row of the list was sent."""
    [told] = await desk.log_of(BatchCreated)
    batch_id = batch_id_of("default", "untold")
    addition = Addition(addition_id=addition_id_of(batch_id, 1), chunks=1, recipients=1)
    said = {"batch_id": batch_id, "command_id": command_id_of(batch_id, 1), "addition": addition}
    await desk.service.ground.producer.publish([told.model_copy(update=said)], writer="ingest")
