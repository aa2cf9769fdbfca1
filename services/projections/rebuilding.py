"""The read model made anew from the first event, with the keys that are still there; reads go on.

A changed table is deployed that way: the new code's generation is built beside the live one.
"""

from contextlib import suppress
from functools import partial

from aiokafka.errors import KafkaError

from chassis.apply import Fold
from chassis.comparing import unshared
from chassis.postgres import LOST, stand_back
from chassis.rebuild import RebuildError, Report
from chassis.vault import PostgresVault, Seals
from services.projections.generations.building import Building, Log, Told, begin, nobody
from services.projections.generations.definition import Definition, Q, definition, schema_of
from services.projections.generations.hands import another, session
from services.projections.generations.live import prepare
from services.projections.generations.switching import catch_up, compare, drop_retired, switch
from services.projections.handlers import fold
from services.projections.settings import ProjectionsSettings

_THEN = "; start the rebuild again (`rollcall doctor` says what is wrong): it goes on from there."


class DiffersError(Exception):
    """What newer code makes of the log is not what the older one has made of it."""


async def rebuild_from_log(*, force: bool, told: Told = nobody) -> Report:
    settings = ProjectionsSettings()
    vault = await PostgresVault.open(
        settings.vault_dsn.get_secret_value(), settings.kek, application_name="rebuild"
    )
    try:
        folds = partial(fold, keys=Seals(vault))
        return await rebuild(settings, folds, force=force, helped=True, told=told)
    finally:
        await vault.close()


async def have_model(settings: ProjectionsSettings, what: Definition, fold: Fold) -> None:
    """Before anything is read or folded: if the live model is of older code, ours takes its place.

    Waits for the log, and for another that builds the same.  Raises DiffersError if what both have
    would change by it: a person has to want that.
    """
    attempt = 0
    while not await prepare(settings.postgres_dsn.get_secret_value(), what):
        try:
            report = await rebuild(settings, fold, what, deploying=True)
        except RebuildError as error:
            attempt += 1
            await stand_back("rebuild", attempt, error)
        else:
            if not report.swapped:
                raise DiffersError("If this is meant: `rollcall rebuild projections --force`.")


async def rebuild(
    settings: ProjectionsSettings,
    fold: Fold,
    what: Definition | None = None,
    *,
    force: bool = False,
    deploying: bool = False,
    helped: bool = False,
    told: Told = nobody,
) -> Report:
    """Puts the new generation in place if it equals the live one, or if forced to.

    `deploying`: nothing is done if another has just built it; `helped`: by another process, which
    folds as the services do.  Raises RebuildError.
    """
    log = Log(settings.kafka, settings.topic_prefix)
    what = what or definition()
    await prepare(settings.postgres_dsn.get_secret_value(), what)
    conn = await session(settings)
    try:
        if not await conn.fetchval(Q.build_alone) or await conn.fetchval(Q.has_hands):
            raise RebuildError("Another rebuild is under way: wait for its end.")
        if deploying and await conn.fetchval(Q.is_live, what.digest):
            return Report(0, (), swapped=True)
        await drop_retired(conn, within=0)
        building = await begin(conn, what, log, fold, told)
        return await _beside(settings, building, what, force=force, helped=helped)
    except KafkaError as error:
        raise RebuildError(f"Kafka at {log.kafka} does not answer{_THEN}") from error
    except LOST as error:
        raise RebuildError(f"The connection to PostgreSQL is lost{_THEN}") from error
    finally:
        with suppress(*LOST):
            await conn.close()


async def _beside(
    settings: ProjectionsSettings,
    building: Building,
    what: Definition,
    *,
    force: bool,
    helped: bool,
) -> Report:
    conn = building.conn
    async with another(settings, building.number) as hand:
        await catch_up(building, what, *([hand] if helped else []))
    live = schema_of(await conn.fetchval(Q.live))
    tables = await compare(settings.postgres_dsn.get_secret_value(), building, what)
    report = Report(
        building.records,
        tables,
        swapped=force or all(table.equal for table in tables),
        resumed=building.resumed,
        unshared=await unshared(conn, schema_of(building.number), live),
    )
    if report.swapped:
        await switch(building)
    else:
        await conn.execute(Q.give_up, building.number)
    await drop_retired(conn)
    return report
