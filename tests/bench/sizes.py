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
    talks: tuple[float, float]
    """Seconds of the calls whose slots are refilled."""
    shared_slots: int
    sharing: tuple[int, ...]
    """How long the lists are that have one start."""
    pauses: int
    paused_people: int
    long_talks: tuple[float, float]
    """Seconds of the calls that are live at a pause."""
    look_seconds: float
    """Before and after a pause."""
    dormant: int
    due: int
    accounts: int
    people_of_account: int
    lead_seconds: float
    """In which what is due at one instant gets to the scheduler."""
    idle_seconds: float
    read_batches: int
    read_people: int
    read_longest: int
    """People in the longest lists that are read."""
    deep_page: int
    read_times: int
    told_people: int
    """In the log that the read side is fed with."""
    told_seconds: float
    """In which their calls end at an even pace."""
    listeners: int
    listened: int
    """Changes that the listeners hear of."""
    stopped: tuple[str, ...]
    stopped_people: int
    """On the list that is called while they are stopped."""
    longest: int
    """People in the longest batch that is called."""
    long_patience: float
    live_calls: int
    live_talks: tuple[float, float]
    """Seconds of the calls that are all live at once."""
    dialers: tuple[int, ...]
    slow_calls: int
    """Of each dialer, with a carrier that takes its time."""
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
    refills=2000,
    talks=(1, 3),
    shared_slots=30,
    sharing=(100, 1_000, 10_000),
    pauses=25,
    paused_people=8_000,
    long_talks=(4, 12),
    look_seconds=1,
    dormant=100_000,
    due=60,
    accounts=200,
    people_of_account=50,
    lead_seconds=8,
    idle_seconds=30,
    read_batches=1_000,
    read_people=1_000_000,
    read_longest=110_000,
    deep_page=1_000,
    read_times=200,
    told_people=60_000,
    told_seconds=20,
    listeners=1_000,
    listened=30,
    stopped=("dialer-1", "dialer-2", "scheduler", "projections", "ingest"),
    stopped_people=20_000,
    longest=1_000_000,
    long_patience=20_000,
    live_calls=10_000,
    live_talks=(300, 400),
    dialers=(1, 2, 4),
    slow_calls=800,
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
    talks=(0.1, 0.3),
    shared_slots=6,
    sharing=(6, 12, 60),
    pauses=2,
    paused_people=200,
    long_talks=(0.3, 1),
    look_seconds=0.3,
    dormant=100,
    due=2,
    accounts=4,
    people_of_account=10,
    lead_seconds=4,
    idle_seconds=0.5,
    read_batches=50,
    read_people=8_000,
    read_longest=2_000,
    deep_page=3,
    read_times=4,
    told_people=400,
    told_seconds=1,
    listeners=20,
    listened=3,
    stopped=("dialer-1",),
    stopped_people=600,
    longest=200,
    long_patience=60,
    live_calls=30,
    live_talks=(3, 4),
    dialers=(1, 2),
    slow_calls=30,
    patience=30,
)
