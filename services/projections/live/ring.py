"""The newest messages of a stream, in order: bounded, and never with a hole in it.

Followers read it at their own pace; one that has fallen behind what is kept is told so, and nobody
waits for it.
"""

from collections import deque

MOST = 4096
"""Messages kept for whoever is slow."""
KEPT = 256
"""And for whoever comes back after losing the connection."""


class Ring:
    """From `floor`, exclusively, to `top`."""

    def __init__(self, position: int) -> None:
        self.floor = self.top = position
        self._messages: deque[tuple[int, bytes]] = deque()

    def add(self, position: int, message: bytes) -> None:
        if position <= self.top:
            return
        self._messages.append((position, message))
        self.top = position
        if len(self._messages) > MOST:
            self._drop()

    def after(self, position: int) -> bytes | None:
        """All that came since; None: some of it is no longer here."""
        if position < self.floor:
            return None
        found = []
        for at, message in reversed(self._messages):
            if at <= position:
                break
            found.append(message)
        return b"".join(reversed(found))

    def forget(self, seen: int) -> None:
        """What everybody has seen, save the newest."""
        while len(self._messages) > KEPT and self._messages[0][0] <= seen:
            self._drop()

    def _drop(self) -> None:
        self.floor, _ = self._messages.popleft()
