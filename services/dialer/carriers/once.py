"""An HTTP request that leaves at most once, and not at all when its time has passed.

The order is: connection, `may_send`, bytes.  aiohttp calls `on_request_chunk_sent` right before it
writes head and body in one piece, and awaits nothing in between (`StreamWriter.write`); uvloop
hands that piece to the kernel in the same call (`UVStream._initiate_write`).  The hook for the
head is too early: the body, and the head with it, would leave a turn of the event loop later.
A POST is not in aiohttp's IDEMPOTENT_METHODS, so it is never sent again on a stale connection, and
redirects are not followed: a 307 would repeat it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp


class TooLateError(Exception):
    """`may_send` said no: nothing was written."""


@dataclass(slots=True)
class Attempt:
    may_send: Callable[[], bool]
    written: bool = False
    """Set before the first byte: False is certain, True may mean sent."""


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


def once_only() -> aiohttp.TraceConfig:
    """To be among the session's `trace_configs`."""
    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(_check)
    return trace


async def _check(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceRequestChunkSentParams,
) -> None:
    attempt = context.trace_request_ctx
    if not isinstance(attempt, Attempt):
        return
    if not attempt.may_send():
        raise TooLateError
    attempt.written = True


async def post_once(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    attempt: Attempt,
) -> Answered:
    """Raises aiohttp.ClientError, OSError or TimeoutError; `attempt.written` then says the rest."""
    async with session.post(
        url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=attempt
    ) as answer:
        return Answered(answer.status, answer.headers, await answer.read())
