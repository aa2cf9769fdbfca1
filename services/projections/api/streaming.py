"""A stream that its client does not read is ended: it holds a socket for a while, and nobody up."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

log = structlog.get_logger()

DECLARED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """Of messages already written down: each is written once for all its readers."""

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncGenerator[bytes], unread_for: float) -> None:
        super().__init__(messages, headers=_HEADERS)
        self._messages = messages
        self._unread_for = unread_for

    async def stream_response(self, send: Send) -> None:
        async def bounded(message: Message) -> None:
            async with asyncio.timeout(self._unread_for):
                await send(message)

        try:
            await super().stream_response(bounded)
        except TimeoutError:
            log.info("follower_does_not_read")
        finally:
            await self._messages.aclose()
