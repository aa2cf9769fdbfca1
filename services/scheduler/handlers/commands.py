"""Commands of a batch are folded in their order and without a gap; each waits for its verdict."""

from collections.abc import Sequence
from uuid import UUID

from chassis.postgres import Connection
from contracts.batches import (
    BatchCommand,
    BatchCreated,
    BatchDeleted,
    BatchImportFailed,
    RecipientsAddRequested,
)
from services.scheduler.domain.hours import has_own_zone
from services.scheduler.domain.verdicts import NEEDS_A_VERDICT
from services.scheduler.handlers.calls import judge_ends
from services.scheduler.store import Q


class CommandGapError(Exception):
    """A command is missing in the log: whatever follows it cannot be judged."""


async def fold_commands(conn: Connection, commands: Sequence[BatchCommand]) -> None:
    if not commands:
        return
    rows = await conn.fetch(Q.commands_folded, sorted({c.batch_id for c in commands}))
    folded: dict[UUID, int] = {row["batch_id"]: row["command_no"] for row in rows}
    for command in sorted(commands, key=lambda command: command.command_no):
        last = folded[command.batch_id]
        if command.command_no <= last:
            continue
        if command.command_no > last + 1:
            raise CommandGapError(f"command {command.command_no} follows {last}")
        await _fold(conn, command)
        folded[command.batch_id] = command.command_no


async def _fold(conn: Connection, command: BatchCommand) -> None:
    batch_id = command.batch_id
    await conn.execute(Q.command_folded, batch_id, command.command_no)
    match command:
        case BatchCreated():
            await _create(conn, command)
        case RecipientsAddRequested(addition=addition):
            await conn.execute(
                Q.announce_addition, addition.addition_id, batch_id, addition.chunks, False
            )
        case BatchImportFailed():
            await conn.execute(Q.fail_addition, command.addition_id, batch_id)
        case BatchDeleted():
            await conn.execute(Q.delete_batch, batch_id)
            await conn.execute(Q.forget_recipients, batch_id)
            await conn.execute(Q.forget_zones, batch_id)
        case _:
            pass  # a person's wish, or a fact that does not matter here
    if type(command) in NEEDS_A_VERDICT:
        kind, body = type(command).__name__, command.model_dump_json()
        await conn.execute(Q.ask, batch_id, command.command_no, kind, body, command.at)


async def _create(conn: Connection, created: BatchCreated) -> None:
    addition = created.addition
    facts = created.model_copy(update={"name": "", "webhook": None})
    await conn.execute(Q.create_batch, created.batch_id, facts.model_dump_json())
    await conn.execute(
        Q.announce_addition, addition.addition_id, created.batch_id, addition.chunks, True
    )
    if has_own_zone(created.window):
        await conn.execute(Q.ignore_zones, created.batch_id)
        await conn.execute(Q.forget_zones, created.batch_id)
        await conn.execute(Q.land_zones, [created.batch_id], [""])
    await judge_ends(conn, created)
