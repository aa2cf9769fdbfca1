"""Names as they are searched for; the last that a batch was given is all that it is found by."""

from collections.abc import Sequence
from operator import attrgetter

from chassis.postgres import Connection
from contracts.batches import BatchCreated, BatchRenamed
from contracts.event import Event
from services.projections.domain.searching import folded, grams
from services.projections.handlers.rows import write
from services.projections.handlers.seals import Keys, seals_of
from services.projections.store import SEARCH


async def fold_names(conn: Connection, commands: Sequence[Event], keys: Keys) -> None:
    named = [event for event in commands if isinstance(event, BatchCreated | BatchRenamed)]
    last = {event.batch_id: event for event in sorted(named, key=attrgetter("command_no"))}
    seals = await seals_of(keys, last)
    names = [
        (event, seals[batch_id].text(event.name))
        for batch_id, event in last.items()
        if batch_id in seals
    ]
    rows = [
        (event.batch_id, event.command_no, key, " ".join(sorted(grams(key))))
        for event, name in names
        if name is not None
        for key in [folded(name)]
    ]
    await write(conn, SEARCH.fold_names, rows)
