"""A new name is a fact: nobody is asked, and nothing else of a batch can be changed."""

from uuid import UUID

from chassis.postgres import Pool
from chassis.vault import Seals, batch_scope
from contracts.batches import BatchRenamed
from services.ingest import position
from services.ingest.domain.life import BatchGoneError, Wish
from services.ingest.intake import Wakes
from services.ingest.life import store
from services.ingest.life.asking import Asking


class Renaming:
    def __init__(self, pool: Pool, seals: Seals, asking: Asking, wakes: Wakes) -> None:
        self._pool = pool
        self._seals = seals
        self._asking = asking
        self._wakes = wakes

    async def rename(self, account_id: str, batch_id: UUID, name: str, *, actor: str) -> str:
        """What a read has to wait for to see it.  Raises BatchGoneError."""
        seal = await self._seals.of(batch_scope(batch_id))
        if seal is None:
            raise BatchGoneError
        wish = Wish(batch_id, BatchRenamed, {"name": seal.close(name)})
        async with self._pool.acquire() as conn, conn.transaction():
            if await store.lock(conn, batch_id, account_id):
                raise BatchGoneError
            taken = await self._asking.issue(conn, account_id, wish, actor)
        self._wakes.relay()
        return taken.headers[position.HEADER]
