"""The judge of the soak: a leak is found, and whoever merely breathes is left alone."""

import random

from tests.growth import KILOBYTE, Growth, Reading, growths

MEGABYTE = KILOBYTE**2
IDLE = 80 * MEGABYTE


def _told(leak: float = 0, step_at: int | None = None, warm: int = 0) -> Growth:
    """A service that keeps so many bytes of each call; its readings swing by half a megabyte."""
    dice = random.Random(5)

    def held(calls: int) -> int:
        swing = dice.randint(-MEGABYTE // 4, MEGABYTE // 4)
        step = 4 * MEGABYTE if step_at is not None and calls >= step_at else 0
        return int(IDLE + leak * calls + swing + step + min(calls, 10_000) * warm)

    (growth,) = growths([Reading(n, {"dialer-1": held(n)}) for n in range(2000, 60_001, 2000)])
    return growth


def test_a_service_that_keeps_a_little_of_every_call_is_found_out() -> None:
    assert _told(leak=200).leaks
    assert str(_told(leak=200)).startswith("dialer-1")


def test_a_service_that_keeps_nothing_is_flat_however_its_readings_swing() -> None:
    assert not _told().leaks


def test_memory_that_is_taken_once_is_no_leak() -> None:
    assert not _told(step_at=50_000).leaks


def test_what_fills_while_a_service_is_warming_up_is_no_leak() -> None:
    assert not _told(warm=1000).leaks


def test_a_leak_is_found_behind_a_low_last_reading() -> None:
    leaking = [Reading(n, {"it": IDLE + n * 300}) for n in range(1000, 30_001, 1000)]
    (growth,) = growths([*leaking, Reading(31_000, {"it": IDLE})])
    assert growth.leaks
    assert growth.most == IDLE + 30_000 * 300
