"""One commit serves many: what arrives while a transaction runs goes together into the next.

Each item gets its own result or its own error: where a transaction fails as a whole, its items are
run one by one, so that nobody pays for what another brought.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")
R = TypeVar("R")
log = structlog.get_logger()


class GroupCommit(Generic[T, R]):
    """`run` is given up to `most` items and answers for each, in their order."""

    def __init__(
        self, run: Callable[[list[T]], Awaitable[Sequence[R | Exception]]], *, most: int = 500
    ) -> None:
        self._run = run
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def do(self, item: T) -> R:
        """The result of this item, once its transaction is committed."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._drain())
        return await answer

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                _settle(group, await self._outcomes([item for item, _ in group]))
        finally:
            self._running = None

    async def _outcomes(self, items: list[T]) -> Sequence[R | Exception]:
        try:
            return await self._run(items)
        except Exception as error:  # noqa: BLE001 - goes to whoever waits for this item
            if len(items) == 1:
                return [error]
            log.warning("group_fell_apart", items=len(items), error=type(error).__name__)
            return [outcome for item in items for outcome in await self._outcomes([item])]


def _settle(
    group: Sequence[tuple[T, "asyncio.Future[R]"]], outcomes: Sequence[R | Exception]
) -> None:
    for (_, answer), outcome in zip(group, outcomes, strict=True):
        if answer.done():
            continue  # whoever asked has gone
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
