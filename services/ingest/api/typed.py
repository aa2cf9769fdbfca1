"""What is typed by hand is JSON, whatever a client's default calls it: curl says it is a form."""

from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.statuses import Action

JSON = (b"content-type", b"application/json")


def typed_by_hand(scope: Scope) -> bool:
    """Requests that bring no list."""
    last = str(scope["path"]).rstrip("/").rpartition("/")[2]
    return scope["method"] != "POST" or last in set(Action)


class TakenAsJson:
    """ASGI: their bodies are read as JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and typed_by_hand(scope):
            others = [it for it in scope["headers"] if it[0] != JSON[0]]
            scope = {**scope, "headers": [*others, JSON]}
        await self._app(scope, receive, send)
