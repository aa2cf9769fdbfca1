"""One Idempotency-Key, one effect: the first answer is given again, however often it is asked for.

The key is held by the request that runs under it, and let go by its silence.  The answer is written
in the transaction of the effect, sealed; refusals are not remembered.
"""

import hmac
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from chassis.postgres import Connection
from chassis.problems import Problem
from chassis.vault import Seals, list_scope
from services.ingest import store
from services.ingest.uploading.staged import UploadLostError


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    account_id: str
    value: str
    body_digest: bytes


class Idempotency:
    def __init__(self, seals: Seals) -> None:
        self._seals = seals

    async def claim(self, conn: Connection, key: Key, holder: UUID) -> Answer | None:
        """The earlier answer; None: the key is the holder's now.  Raises Problem."""
        if await store.claim_key(conn, key.account_id, key.value, key.body_digest, holder):
            return None
        held = await store.held_key(conn, key.account_id, key.value)
        if held is None or (held["status"] is None and _same(held, key)):
            raise Problem(
                HTTPStatus.CONFLICT,
                "idempotency_key_running",
                "The first request with this key is still running",
                "Ask again in a moment.",
            )
        if not _same(held, key):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The key belongs to another request",
                "Send a new Idempotency-Key with a new body.",
            )
        return await self._opened(held)

    async def remember(self, conn: Connection, holder: UUID, answer: Answer, scope: str) -> None:
        """In the transaction of the effect.  Raises UploadLostError if another has the key."""
        seal = await self._seals.create(scope)
        sealed = seal.close(json.dumps(answer.body))
        if not await store.answer_key(conn, holder, answer.status, answer.headers, scope, sealed):
            raise UploadLostError

    async def _opened(self, held: Any) -> Answer:
        seal = await self._seals.of(held["scope"])
        body = None if seal is None else seal.text(held["answer"])
        if body is None:
            raise Problem(
                HTTPStatus.GONE,
                "list_deleted" if held["scope"].startswith(list_scope("")) else "batch_deleted",
                "What this key made has been deleted",
                "Send a new Idempotency-Key to make another.",
            )
        return Answer(held["status"], held["headers"], json.loads(body))


def _same(held: Any, key: Key) -> bool:
    return hmac.compare_digest(held["body_digest"], key.body_digest)
