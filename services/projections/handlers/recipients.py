"""Who is to be called, and whose row was rejected: opened here, so that reads can filter."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from chassis.postgres import Connection
from contracts.event import Event
from contracts.recipients import RecipientsAdded, RecipientsRejected
from contracts.sealed import FieldError, RecipientSecrets, Rejections, Seal
from services.projections.domain.searching import folded
from services.projections.handlers.rows import write
from services.projections.handlers.seals import Keys, seals_of
from services.projections.handlers.variables import Met, Names, first_met, fold_variables
from services.projections.store import FOLDS, SEARCH

_ERRORS = TypeAdapter(tuple[FieldError, ...])
_VARIABLES = TypeAdapter(dict[str, str])


async def fold_recipients(conn: Connection, events: Sequence[Event], keys: Keys) -> None:
    added = {event.chunk_id: event for event in events if isinstance(event, RecipientsAdded)}
    rejected = {event.chunk_id: event for event in events if isinstance(event, RecipientsRejected)}
    if not added and not rejected:
        return
    for row in await conn.fetch(SEARCH.landed_of, list(added)):
        del added[row["chunk_id"]]
    seals = await seals_of(keys, [e.batch_id for e in (*added.values(), *rejected.values())])
    recipients: list[tuple[Any, ...]] = []
    met: list[Met] = []
    for chunk in added.values():
        rows, variables = _recipients(chunk, seals.get(chunk.batch_id))
        recipients += rows
        met += first_met(chunk.batch_id, variables)
        await asyncio.sleep(0)  # opening a chunk takes tens of milliseconds: let others breathe
    await write(conn, FOLDS.fold_recipients, recipients)
    await write(conn, SEARCH.fold_keys, [_key(*row[:5]) for row in recipients])
    await fold_variables(conn, met)
    await write(conn, FOLDS.fold_chunks, [(key, chunk.batch_id) for key, chunk in added.items()])
    await write(conn, FOLDS.fold_zones, _zones(added.values()))
    rejections = [row for event in rejected.values() for row in _rejections(event, seals)]
    await write(conn, FOLDS.fold_rejections, rejections)


def _recipients(
    chunk: RecipientsAdded, seal: Seal | None
) -> tuple[list[tuple[Any, ...]], dict[Names, int]]:
    """And the first row of each list of variables."""
    rows: list[tuple[Any, ...]] = []
    variables: dict[Names, int] = {}
    for entry in chunk.recipients:
        secrets = seal.open(entry.sealed, RecipientSecrets) if seal is not None else None
        if secrets is not None:
            variables.setdefault(tuple(secrets.variables), entry.row)
        rows.append(
            (
                entry.recipient_id,
                chunk.batch_id,
                entry.row,
                secrets and secrets.phone_number,
                secrets and secrets.name,
                # text and not jsonb: the variables keep the order of their columns
                secrets and _VARIABLES.dump_json(secrets.variables).decode(),
                ",".join(entry.zones),
                entry.not_before,
                entry.same_number_as,
            )
        )
    return rows, variables


def _key(
    recipient_id: UUID, batch_id: UUID, row: int, phone_number: str | None, name: str | None
) -> tuple[UUID, int, UUID, str, str]:
    return batch_id, row, recipient_id, folded(name or ""), phone_number or ""


def _zones(chunks: Any) -> list[tuple[UUID, str, datetime | None]]:
    return list(
        {
            (chunk.batch_id, ",".join(entry.zones), entry.not_before)
            for chunk in chunks
            for entry in chunk.recipients
        }
    )


def _rejections(event: RecipientsRejected, seals: dict[UUID, Seal]) -> list[tuple[Any, ...]]:
    seal = seals.get(event.batch_id)
    opened = seal.open(event.sealed, Rejections) if seal is not None else None
    return [
        (
            event.addition_id,
            row.row,
            event.batch_id,
            row.line,
            row.phone_number,
            row.name,
            _ERRORS.dump_json(row.errors).decode(),
        )
        for row in (opened.rows if opened is not None else ())
    ]
