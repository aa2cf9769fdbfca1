"""A batch is there whole or not at all: rows are staged, then one transaction makes them a batch.

Whenever we are killed, there is either an upload, which will be swept, or a batch with its answer,
its event and its rows, which will be streamed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID, uuid4

import structlog

from chassis import outbox
from chassis.postgres import TRANSIENT, Connection, Pool
from chassis.vault import Seals, Vault, batch_scope, pepper_scope
from contracts.ids import addition_id_of, batch_id_of
from contracts.sealed import Seal
from services.ingest import position, store
from services.ingest.answers import taken
from services.ingest.domain.batch import Terms, agree, created
from services.ingest.domain.chunks import Uploaded
from services.ingest.idempotency import Answer, Idempotency, Key
from services.ingest.staging import Stager
from services.ingest.submission import Submission
from services.ingest.uploads import upload

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wakes:
    relay: Callable[[], None]
    streamer: Callable[[], None]
    sweeper: Callable[[], None]


class Intake:
    def __init__(self, pool: Pool, vault: Vault, seals: Seals, wakes: Wakes) -> None:
        self._pool = pool
        self._vault = vault
        self._seals = seals
        self._idempotency = Idempotency(seals)
        self._wakes = wakes

    async def create(
        self, account_id: str, submission: Submission, *, key: str | None, actor: str
    ) -> Answer:
        """The answer, now or earlier.  Raises RefusedError, RowsRefusedError, FileRefusedError."""
        upload_id = uuid4()
        batch_id = batch_id_of(account_id, key) if key else uuid4()
        if key:
            async with self._pool.acquire() as conn:
                claim = Key(account_id, key, submission.digest)
                earlier = await self._idempotency.claim(conn, claim, upload_id)
            if earlier:
                return earlier
        try:
            terms = await self._agree(account_id, submission, batch_id)
            answer = await self._take(terms, submission, upload_id, key=key, actor=actor)
        except BaseException:
            await self._abandon(upload_id)
            raise
        self._wakes.relay()
        self._wakes.streamer()
        log.info("batch_taken", batch_id=str(batch_id), recipients=answer.body["recipients"])
        return answer

    async def _agree(self, account_id: str, submission: Submission, batch_id: UUID) -> Terms:
        request = submission.request
        async with self._pool.acquire() as conn:
            directory = await store.named(conn, account_id, request)
            return agree(request, directory, batch_id=batch_id, at=await store.now(conn))

    async def _take(
        self, terms: Terms, submission: Submission, upload_id: UUID, *, key: str | None, actor: str
    ) -> Answer:
        scope = batch_scope(terms.batch_id)
        seal = await self._seals.create(scope)
        pepper = await self._vault.create(pepper_scope(terms.account_id))
        stager = Stager(upload_id, addition_id_of(terms.batch_id, 1), seal, pepper)
        uploaded = await upload(self._pool, terms, submission, stager)
        async with self._pool.acquire() as conn, conn.transaction():
            answer = await self._make(conn, terms, uploaded, seal, actor)
            if key:
                await self._idempotency.remember(conn, upload_id, answer, scope)
        return answer

    async def _make(
        self, conn: Connection, terms: Terms, uploaded: Uploaded, seal: Seal, actor: str
    ) -> Answer:
        at = await store.now(conn)
        event = created(
            terms,
            uploaded.announced,
            sealed_name=seal.close(terms.request.name),
            actor=actor,
            at=at,
        )
        await store.insert_batch(conn, terms.batch_id, terms.account_id)
        await store.add(conn, terms.batch_id, uploaded)
        await outbox.put(conn, [event], writer="ingest")
        headers = {
            "Location": f"/v1/batches/{terms.batch_id}",
            position.HEADER: position.of_command(terms.batch_id, event.command_no),
        }
        body = taken(terms, accepted=uploaded.accepted, rejected=uploaded.rejected, at=at)
        return Answer(HTTPStatus.ACCEPTED, headers, body)

    async def _abandon(self, upload_id: UUID) -> None:
        """Harmless if the batch was made after all: then upload and claim are gone."""
        try:
            async with self._pool.acquire() as conn:
                await store.abandon(conn, upload_id)
        except TRANSIENT as error:
            log.warning("upload_left_to_sweeper", error=type(error).__name__)
        self._wakes.sweeper()
