"""The one place that opens a recipient's seal; nothing it gives may be logged or stored.

Under a new pepper no suppressed number would be known: one that is lost is not replaced.
"""

from uuid import UUID

from chassis.postgres import Pool
from chassis.vault import KeyLostError, Seals, Vault, batch_scope, pepper_scope
from contracts.sealed import ConversationSecrets, RecipientSecrets, digest_of
from services.dialer.carriers.port import Conversation
from services.dialer.store import Q


class People:
    def __init__(self, vault: Vault, seals: Seals, pool: Pool) -> None:
        self._pool = pool
        self._vault = vault
        self._seals = seals
        self._peppers: dict[str, bytes] = {}

    async def read(self, batch_id: UUID, sealed: str) -> RecipientSecrets | None:
        """None where the batch has no key (any more), or the seal is not ours."""
        seal = await self._seals.of(batch_scope(batch_id))
        return None if seal is None else seal.open(sealed, RecipientSecrets)

    async def read_known(self, batch_id: UUID, sealed: str) -> RecipientSecrets | None:
        """None where the key was destroyed.  Raises KeyLostError where it should be there."""
        seal = await self._seals.known(batch_scope(batch_id))
        return None if seal is None else seal.open(sealed, RecipientSecrets)

    async def digest(self, account_id: str, phone_number: str) -> str:
        """What stands for the number where live calls and suppressions are compared.

        Raises KeyLostError.
        """
        pepper = self._peppers.get(account_id)
        if pepper is None:
            pepper = await self._pepper(account_id)
            self._peppers[account_id] = pepper
        return digest_of(pepper, phone_number)

    async def _pepper(self, account_id: str) -> bytes:
        scope = pepper_scope(account_id)
        if (pepper := await self._vault.read(scope)) is not None:
            return pepper
        if await self._pool.fetchval(Q.has_suppressed, account_id):
            raise KeyLostError(scope)
        return await self._vault.create(scope)

    async def seal(self, batch_id: UUID, conversation: Conversation) -> str | None:
        """None where the batch's key is destroyed: then the conversation is dropped."""
        seal = await self._seals.of(batch_scope(batch_id))
        if seal is None:
            return None
        return seal.close(
            ConversationSecrets(
                transcript=conversation.transcript,
                collected=dict(conversation.collected),
                recording_url=conversation.recording_url,
            )
        )
