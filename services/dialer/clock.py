"""A deadline on a clock that runs on while this process is frozen and while the machine sleeps."""

import time
from collections.abc import Callable


def now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def before(deadline: float) -> Callable[[], bool]:
    """Whether it is still before the deadline, each time it is asked."""
    return lambda: now() < deadline
