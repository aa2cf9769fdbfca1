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
from chassis.postgres import Connection, Pool
from chassis.vault import Vault, batch_scope
from contracts.calendar import RECIPIENT
from contracts.ids import addition_id_of, batch_id_of
from contracts.sealed import Seal
from services.ingest import position, store
from services.ingest.answers import taken
from services.ingest.domain.batch import Terms, created
from services.ingest.domain.chunks import Uploaded
from services.ingest.idempotency import Answer, Idempotency, Key
from services.ingest.once import Once
from services.ingest.policies import Policies
from services.ingest.uploading.recipients import Recipients
from services.ingest.uploading.sources import ForBatch
from services.ingest.uploading.staging import Sealing
from services.ingest.uploading.submission import Submission
from services.ingest.uploading.uploads import upload

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wakes:
    relay: Callable[[], None]
    streamer: Callable[[], None]
    sweeper: Callable[[], None]


class Intake:
    def __init__(
        self,
        pool: Pool,
        vault: Vault,
        policies: Policies,
        recipients: Recipients,
        once: Once,
        idempotency: Idempotency,
        wakes: Wakes,
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._policies = policies
        self._recipients = recipients
        self._once = once
        self._idempotency = idempotency
        self._wakes = wakes

    async def create(
        self, account_id: str, submission: Submission, *, key: Key | None, actor: str
    ) -> Answer:
        """The answer, now or earlier.  Raises RefusedError, RowsRefusedError, FileRefusedError."""
        batch_id = batch_id_of(account_id, key.value) if key else uuid4()

        async def take(upload_id: UUID) -> Answer:
            terms = await self._policies.agree(account_id, submission.request, batch_id)
            return await self._take(terms, submission, upload_id, keyed=bool(key), actor=actor)

        answer = await self._once(key, take)
        self._wakes.relay()
        self._wakes.streamer()
        log.info("batch_taken", batch_id=str(batch_id), recipients=answer.body["recipients"])
        return answer

    async def _take(
        self, terms: Terms, submission: Submission, upload_id: UUID, *, keyed: bool, actor: str
    ) -> Answer:
        scope = batch_scope(terms.batch_id)
        data_key = await self._vault.create(scope)
        sealing = Sealing(addition_id_of(terms.batch_id, 1), data_key, scope)
        strict = terms.request.on_invalid == "reject"
        making = ForBatch(terms.policy, sealing, zoned=terms.window.timezone == RECIPIENT)
        list_id = terms.request.recipient_list_id
        async with self._recipients.made(
            terms.account_id, submission.source, list_id, making
        ) as portions:
            tally = await upload(self._pool, portions, upload_id, strict=strict)
        uploaded = tally.uploaded(sealing.addition_id, list_id)
        async with self._pool.acquire() as conn, conn.transaction():
            answer = await self._make(conn, terms, uploaded, Seal(data_key, scope), actor)
            if keyed:
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
        await store.insert_batch(conn, event)
        await store.add(conn, terms.batch_id, uploaded)
        await outbox.put(conn, [event], writer="ingest")
        headers = {
            "Location": f"/v1/batches/{terms.batch_id}",
            position.HEADER: position.of_command(terms.batch_id, event.command_no),
        }
        body = taken(terms, accepted=uploaded.accepted, rejected=uploaded.rejected, at=at)
        return Answer(HTTPStatus.ACCEPTED, headers, body)
