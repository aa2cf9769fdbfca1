"""How much is measured: all of it for the figures, a taste of it in the tests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    calls: int
    limit: int
    listed_rows: int
    uploaded_rows: int
    uploaded_bytes: int
    creations: int
    turnovers: int
    slots: int
    refills: int
    idle_seconds: float
    patience: float
    """Seconds after which nothing more is to be expected."""


FULL = Size(
    calls=10_000,
    limit=500,
    listed_rows=500_000,
    uploaded_rows=1_000_000,
    uploaded_bytes=50 * 1024 * 1024,
    creations=60,
    turnovers=600,
    slots=100,
    refills=3000,
    idle_seconds=30,
    patience=1200,
)
TINY = Size(
    calls=60,
    limit=20,
    listed_rows=400,
    uploaded_rows=400,
    uploaded_bytes=20 * 1024,
    creations=3,
    turnovers=20,
    slots=10,
    refills=30,
    idle_seconds=0.5,
    patience=30,
)
