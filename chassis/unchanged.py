"""304 exactly when the body would be the same, byte for byte: the tag is made of nothing else.

A weak tag, of the body before compression: whoever has it, plain or gzipped, has the same answer
(RFC 9110, sections 8.8.3 and 13.1.2).  What is streamed has no tag and is not held back.
"""

from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Header
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DECLARED: dict[int | str, dict[str, Any]] = {
    304: {"description": "As `If-None-Match` names it: unchanged, without a body."}
}


def if_none_match(
    _: Annotated[
        str | None,
        Header(
            alias="If-None-Match",
            description="The `ETag` of an earlier answer: 304 if this one would be the same.",
        ),
    ] = None,
) -> None:
    """The dependency that says so in the OpenAPI document."""


class Unchanged:
    """ASGI: tags every JSON answer to a GET that comes in one piece."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        held: Message | None = None

        async def tagging(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _may_be_tagged(message):
                held = message
                return
            if held is not None:
                start, held = held, None
                if not message.get("more_body", False):
                    start, message = _tagged(start, message, known)
                await send(start)
            await send(message)

        await self._app(scope, receive, tagging)


def _may_be_tagged(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "").partition(";")[0]
    return start["status"] == 200 and kind.endswith(("/json", "+json"))  # noqa: PLR2004


def _tagged(start: Message, body: Message, known: str) -> tuple[Message, Message]:
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["ETag"] = tag = f'W/"{blake2b(body.get("body", b""), digest_size=16).hexdigest()}"'
    headers["Cache-Control"] = "private, no-cache"
    if not _names(known, tag):
        return {**start, "headers": headers.raw}, body
    del headers["content-length"], headers["content-type"]
    headers["Vary"] = "Accept-Encoding"
    return {**start, "status": 304, "headers": headers.raw}, {**body, "body": b""}


def _names(known: str, tag: str) -> bool:
    """Compared weakly, as a GET does."""
    opaque = tag.removeprefix("W/")
    return any(each.strip() in {"*", opaque, tag} for each in known.split(","))
