"""A seal that no longer opens folds to null: its batch has been deleted, or is about to be."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from chassis.vault import batch_scope
from contracts.sealed import Seal


class Keys(Protocol):
    """Where the keys come from."""

    async def of(self, scope: str) -> Seal | None:
        """None: there is no such key, or no longer."""
        ...


async def seals_of(keys: Keys, batches: Iterable[UUID]) -> dict[UUID, Seal]:
    found = {batch_id: await keys.of(batch_scope(batch_id)) for batch_id in set(batches)}
    return {batch_id: seal for batch_id, seal in found.items() if seal is not None}
