"""A list is added whole or not at all, and streamed only when the scheduler has taken it.

Its rows count on from those of the batch; who adds to it at the same time is waited for by trying
again.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from chassis.postgres import Pool
from chassis.vault import Vault, batch_scope
from contracts.batches import RecipientsAddRequested
from contracts.ids import addition_id_of, command_id_of
from services.ingest.domain.chunks import Uploaded
from services.ingest.domain.life import BatchGoneError, Wish
from services.ingest.idempotency import Answer, Idempotency, Key
from services.ingest.life import store
from services.ingest.life.asking import Asked, Asking
from services.ingest.life.store import AdditionTerms
from services.ingest.once import Once
from services.ingest.policies import Policies
from services.ingest.uploading.recipients import Recipients
from services.ingest.uploading.sources import ForBatch
from services.ingest.uploading.staged import UploadLostError
from services.ingest.uploading.staging import Sealing
from services.ingest.uploading.submission import Addition
from services.ingest.uploading.uploads import RowsRefusedError, upload

TRIES: Final = 5

Take = Callable[[UUID], Awaitable[Answer]]


class OvertakenError(Exception):
    """Another addition was there first: rows have to be counted anew."""


class Adding:
    def __init__(
        self,
        pool: Pool,
        vault: Vault,
        policies: Policies,
        recipients: Recipients,
        once: Once,
        idempotency: Idempotency,
        asking: Asking,
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._policies = policies
        self._recipients = recipients
        self._once = once
        self._idempotency = idempotency
        self._asking = asking

    async def add(
        self, account_id: str, batch_id: UUID, sent: Addition, *, key: Key | None, actor: str
    ) -> tuple[Answer, Asked]:
        """What was taken, and whether it is in.

        Raises BatchGoneError, NotAllowedError, and what a refused list raises.
        """

        async def take(upload_id: UUID) -> Answer:
            async with self._pool.acquire() as conn:
                terms = await store.terms(conn, batch_id, account_id)
            uploaded = await self._stage(account_id, batch_id, sent, terms, upload_id)
            return await self._ask(account_id, batch_id, uploaded, terms, key, actor)

        taken = await self._again(key, take)
        wish = Wish(batch_id, RecipientsAddRequested, {})
        return taken, await self._asking.judged(wish, taken.body["command_no"], key)

    async def _again(self, key: Key | None, take: Take) -> Answer:
        for _ in range(TRIES):
            try:
                return await self._once(key, take)
            except OvertakenError:
                continue
        raise UploadLostError

    async def _stage(
        self,
        account_id: str,
        batch_id: UUID,
        sent: Addition,
        terms: AdditionTerms,
        upload_id: UUID,
    ) -> Uploaded:
        scope = batch_scope(batch_id)
        data_key = await self._vault.read(scope)
        if data_key is None:
            raise BatchGoneError
        addition_id = addition_id_of(batch_id, terms.additions + 1)
        policy = await self._policies.of(account_id)
        sealing = Sealing(addition_id, data_key, scope)
        making = ForBatch(policy, sealing, zoned=terms.zoned, after_row=terms.last_row)
        try:
            async with self._recipients.made(
                account_id, sent.source, sent.list_id, making
            ) as portions:
                tally = await upload(self._pool, portions, upload_id, strict=terms.strict)
        except RowsRefusedError as error:
            raise error.counted_from(terms.last_row) from None
        return tally.uploaded(addition_id, sent.list_id)

    async def _ask(
        self,
        account_id: str,
        batch_id: UUID,
        uploaded: Uploaded,
        terms: AdditionTerms,
        key: Key | None,
        actor: str,
    ) -> Answer:
        wish = Wish(batch_id, RecipientsAddRequested, {"addition": uploaded.announced})
        async with self._pool.acquire() as conn, conn.transaction():
            if await store.lock(conn, batch_id, account_id):
                raise BatchGoneError
            if (await store.terms(conn, batch_id, account_id)).additions != terms.additions:
                raise OvertakenError
            answer = await self._asking.issue(
                conn,
                account_id,
                wish,
                actor,
                addition_id=str(uploaded.addition_id),
                accepted=uploaded.accepted,
                rejected=uploaded.rejected,
            )
            command_id = command_id_of(batch_id, answer.body["command_no"])
            await store.keep_addition(conn, batch_id, uploaded, command_id)
            if key:
                await self._idempotency.remember(
                    conn, uploaded.upload_id, answer, batch_scope(batch_id)
                )
        return answer
