"""What only a key opens.  A number, a name or a word that was said is in the log in no other form.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the scope (the batch's or account's id)
is bound as associated data, so a seal moved elsewhere does not open.
"""

import base64
import hmac
import secrets
from typing import Annotated, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, ValidationError

from contracts.event import Value

V = TypeVar("V", bound=Value)

_OPAQUE = {"contentEncoding": "base64"}
UnderBatchKey = Annotated[str, Field(json_schema_extra={**_OPAQUE, "x-sealed-under": "batch"})]
"""What `Seal.close` gave under the batch's key: the schemas say so."""
UnderAccountKey = Annotated[str, Field(json_schema_extra={**_OPAQUE, "x-sealed-under": "account"})]

_NONCE = 12
KEY_BYTES = 32


class RecipientSecrets(Value):
    phone_number: str
    """E.164, or the digits as they came where the row ignores E.164."""
    name: str | None = None
    ignore_e164_validation: bool = False
    variables: dict[str, str] = Field(default_factory=dict)
    language: str | None = None
    first_message: str | None = None
    webhook_url: str | None = None


class FieldError(Value):
    field: str
    code: str
    message: str


class Rejection(Value):
    row: int
    line: int | None = None
    phone_number: str | None = None
    name: str | None = None
    errors: tuple[FieldError, ...]


class Rejections(Value):
    rows: tuple[Rejection, ...]


class ConversationSecrets(Value):
    transcript: tuple[dict[str, str], ...] = ()
    collected: dict[str, str] = Field(default_factory=dict)
    recording_url: str | None = None


class Seal:
    """Closes and opens under one key; made once per key, since the cipher is costly to set up."""

    def __init__(self, key: bytes, scope: str) -> None:
        self._cipher = AESGCM(key)
        self._scope = scope.encode()

    def close(self, secret: Value | str) -> str:
        """The sealed form (base64) of a value or a text."""
        text = secret if isinstance(secret, str) else secret.model_dump_json()
        nonce = secrets.token_bytes(_NONCE)
        return base64.b64encode(
            nonce + self._cipher.encrypt(nonce, text.encode(), self._scope)
        ).decode()

    def text(self, sealed: str) -> str | None:
        """The text under the seal; None if it does not open (another key, or tampered with)."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], self._scope).decode()
        except (InvalidTag, ValueError):
            return None

    def open(self, sealed: str, kind: type[V]) -> V | None:
        """The value under the seal; None if it does not open."""
        text = self.text(sealed)
        try:
            return None if text is None else kind.model_validate_json(text)
        except ValidationError:
            return None


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def digest_of(pepper: bytes, phone_number: str) -> str:
    """What stands for a number where it is only compared: HMAC-SHA256 (RFC 2104), hex.

    The same with and without its plus: one phone rings, however a list has written it.
    """
    written = phone_number if phone_number.startswith("+") else f"+{phone_number}"
    return hmac.digest(pepper, written.encode(), "sha256").hex()
