"""In no window of a second are more calls admitted than the rate allows: a log, not a bucket.

A bucket that refills while it is drained lets nearly twice the rate through in its first second.
"""

from collections import deque


class Rate:
    def __init__(self) -> None:
        self._admitted: deque[float] = deque()

    def admit(self, now: float, per_second: float | None) -> float:
        """Seconds to wait, 0 if admitted; what is refused does not count against the rate."""
        if per_second is None:
            self._admitted.clear()
            return 0.0
        most = max(1, int(per_second))
        window = most / per_second  # a second; longer for a rate below one
        while self._admitted and self._admitted[0] <= now - window:
            self._admitted.popleft()
        if len(self._admitted) >= most:
            return self._admitted[len(self._admitted) - most] + window - now
        self._admitted.append(now)
        return 0.0
