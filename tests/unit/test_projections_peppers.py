"""A vault that is away makes a suppression unknown: that is said, and the read is answered."""

import asyncio

import asyncpg
import pytest
from structlog.testing import capture_logs

from chassis.vault import pepper_scope
from services.projections.peppers import Peppers


class OneVault:
    """Answers, in turn, with what it was given."""

    def __init__(self, *answers: bytes | Exception | None) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def read(self, scope: str) -> bytes | None:
        self.asked.append(scope)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class DeafVault:
    async def read(self, scope: str) -> bytes | None:  # noqa: ARG002 - it never answers
        await asyncio.Event().wait()
        return None


async def test_a_pepper_is_asked_for_once() -> None:
    vault = OneVault(b"pepper")
    peppers = Peppers(vault)
    assert [await peppers.of("a"), await peppers.of("a")] == [b"pepper", b"pepper"]
    assert vault.asked == [pepper_scope("a")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "pepper_missing"),
        (ConnectionRefusedError(), "pepper_unreadable"),
        (asyncpg.InterfaceError("pool is closed"), "pepper_unreadable"),
        (asyncpg.InvalidCatalogNameError(), "pepper_unreadable"),
    ],
)
async def test_a_pepper_that_cannot_be_had_is_said_and_looked_for_again(
    wrong: Exception | None, said: str
) -> None:
    peppers = Peppers(OneVault(wrong, b"restored"))
    with capture_logs() as logs:
        assert await peppers.of("a") is None
    assert [(line["event"], line["account_id"]) for line in logs] == [(said, "a")]
    assert await peppers.of("a") == b"restored"


async def test_no_read_waits_long_for_a_vault_that_does_not_answer() -> None:
    with capture_logs() as logs:
        assert await Peppers(DeafVault(), patience=0.01).of("a") is None
    assert [line["error"] for line in logs] == ["TimeoutError"]
