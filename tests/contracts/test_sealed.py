"""Personal data leaves a seal only under the key and the scope it was closed with."""

import base64
import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from contracts.sealed import ConversationSecrets, RecipientSecrets, Seal, digest_of, new_key

KEY = new_key()


@given(number=st.text(), name=st.text(), variables=st.dictionaries(st.text(), st.text()))
def test_what_was_sealed_comes_back(number: str, name: str, variables: dict[str, str]) -> None:
    seal = Seal(KEY, "batch:1")
    secret = RecipientSecrets(phone_number=number, name=name, variables=variables)
    assert seal.open(seal.close(secret), RecipientSecrets) == secret


def test_the_same_secret_never_looks_the_same_and_never_shows() -> None:
    seal = Seal(KEY, "batch:1")
    secret = RecipientSecrets(phone_number="+12025550142", name="Ada")
    once, twice = seal.close(secret), seal.close(secret)
    assert once != twice
    assert b"2025550142" not in base64.b64decode(once)


def test_a_seal_opens_for_nobody_else() -> None:
    sealed = Seal(KEY, "batch:1").close("Ada")
    assert Seal(KEY, "batch:1").text(sealed) == "Ada"
    assert Seal(new_key(), "batch:1").text(sealed) is None
    assert Seal(KEY, "batch:2").text(sealed) is None


@given(st.text() | st.just("AAAA"))
def test_what_is_no_seal_opens_to_nothing(garbage: str) -> None:
    assert Seal(KEY, "batch:1").text(garbage) is None


def test_another_kind_of_secret_opens_to_nothing() -> None:
    seal = Seal(KEY, "batch:1")
    assert seal.open(seal.close("Ada"), ConversationSecrets) is None


def test_a_flipped_bit_is_noticed() -> None:
    raw = bytearray(base64.b64decode(Seal(KEY, "b").close("Ada")))
    raw[-1] ^= 1
    assert Seal(KEY, "b").text(base64.b64encode(raw).decode()) is None


def test_a_digest_needs_the_pepper() -> None:
    assert digest_of(b"one", "+12025550142") == digest_of(b"one", "+12025550142")
    assert digest_of(b"one", "+12025550142") != digest_of(b"two", "+12025550142")


def test_one_phone_has_one_digest_with_its_plus_and_without() -> None:
    plain = hmac.new(b"one", b"+12025550142", hashlib.sha256).hexdigest()
    assert digest_of(b"one", "+12025550142") == digest_of(b"one", "12025550142") == plain
