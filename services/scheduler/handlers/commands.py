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
from services.scheduler.store import Q, columns


class CommandGapError(Exception):
    """A command is missing in the log: whatever follows it cannot be judged."""


async def fold_commands(conn: Connection, commands: Sequence[BatchCommand]) -> None:
    if not commands:
        return
    rows = await conn.fetch(Q.commands_folded, sorted({c.batch_id for c in commands}))
    fresh = _fresh(commands, {row["batch_id"]: row["command_no"] for row in rows})
    if not fresh:
        return
    last = {command.batch_id: command.command_no for command in fresh}
    await conn.execute(Q.move_on, list(last), list(last.values()))
    await _create(conn, [c for c in fresh if isinstance(c, BatchCreated)])
    await _announce(conn, fresh)
    for command in fresh:
        if isinstance(command, BatchImportFailed):
            await conn.execute(Q.fail_addition, command.addition_id, command.batch_id)
    if deleted := [c.batch_id for c in fresh if isinstance(c, BatchDeleted)]:
        await conn.execute(Q.delete_batches, deleted)
        await conn.execute(Q.forget_recipients, deleted)
        await conn.execute(Q.forget_zones, deleted)
    asked = [
        (c.batch_id, c.command_no, type(c).__name__, c.model_dump_json(), c.at)
        for c in fresh
        if type(c) in NEEDS_A_VERDICT
    ]
    if asked:
        await conn.execute(Q.ask, *columns(asked, 5))


def _fresh(commands: Sequence[BatchCommand], folded: dict[UUID, int]) -> list[BatchCommand]:
    """Those not folded yet, of each batch in their order."""
    fresh = []
    for command in sorted(commands, key=lambda command: command.command_no):
        last = folded[command.batch_id]
        if command.command_no <= last:
            continue
        if command.command_no > last + 1:
            raise CommandGapError(f"command {command.command_no} follows {last}")
        folded[command.batch_id] = command.command_no
        fresh.append(command)
    return fresh


async def _create(conn: Connection, created: Sequence[BatchCreated]) -> None:
    if not created:
        return
    nameless = {"name": "", "webhook": None}
    facts = [(c.batch_id, c.model_copy(update=nameless).model_dump_json()) for c in created]
    await conn.execute(Q.create_batches, *columns(facts, 2))
    own = [c.batch_id for c in created if has_own_zone(c.window)]
    if own:
        await conn.execute(Q.ignore_zones, own)
        await conn.execute(Q.forget_zones, own)
        await conn.execute(Q.land_zones, own, [""] * len(own))
    await judge_ends(conn, created)


async def _announce(conn: Connection, commands: Sequence[BatchCommand]) -> None:
    """The list a batch was created with is in it; another has to be accepted."""
    rows = {
        command.addition.addition_id: (
            command.addition.addition_id,
            command.batch_id,
            command.addition.chunks,
            isinstance(command, BatchCreated),
        )
        for command in commands
        if isinstance(command, BatchCreated | RecipientsAddRequested)
    }
    if rows:
        await conn.execute(Q.announce_additions, *columns(rows.values(), 4))
