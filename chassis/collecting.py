"""Garbage is collected rarely: what a process makes by the million is hardly ever a cycle."""

import gc


def collect_seldom() -> None:
    """A service makes millions of short-lived events, hardly ever in a cycle.

    What stands at the start is not looked at again, and the young are looked at by the ten
    thousand rather than by the 700.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
