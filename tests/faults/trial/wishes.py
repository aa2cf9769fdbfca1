"""The batches people ask for, by the dice alone: every outcome, doubles, hours, dates, retries."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from contracts.calendar import WEEK, Window
from tests.house import ALWAYS, Json

AREAS = (202, 212, 303, 305, 312, 404, 415, 503, 512, 602, 615, 617, 702, 713, 718, 801, 816, 901)
EXCHANGES = [n for n in range(220, 990) if n % 100 != 11 and n not in (555, 950, 976)]
ENDINGS = {"0001": 12, "0002": 2, "0003": 2, "0004": 2, "0005": 1, "0006": 1, "1111": 2}
"""How they end, and how often."""
ANSWERING = {"0001": 1}
EDGE_WITHIN = 20
"""Seconds to the next full minute for which an opening there is worth waiting."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A batch to ask for, and what is to be true of its calls."""

    rows: tuple[str, ...]
    settings: Json
    not_before: Mapping[str, datetime] = field(default_factory=dict)
    """By number."""
    scheduled_at: datetime | None = None

    @property
    def window(self) -> Window:
        return Window(**self.settings["window"])

    @property
    def attempts(self) -> int:
        return int(self.settings["retry_policy"]["max_attempts"])

    def body(self) -> Json:
        recipients = [_row(number, self.not_before.get(number)) for number in self.rows]
        at = self.scheduled_at
        when = {} if at is None else {"scheduled_at": at.isoformat()}
        return {**self.settings, **when, "recipients": recipients}


def people(dice: random.Random, count: int, endings: Mapping[str, int] = ENDINGS) -> list[str]:
    """Different numbers; some of them are on other lists too."""
    places = dice.sample(range(len(AREAS) * len(EXCHANGES)), count)
    ends = dice.choices(list(endings), list(endings.values()), k=count)
    return [
        f"+1{AREAS[place % len(AREAS)]}{EXCHANGES[place // len(AREAS)]}{ending}"
        for place, ending in zip(places, ends, strict=True)
    ]


SHARED = people(random.Random(0), 60, ANSWERING)
"""On every list some of them."""


def wish(dice: random.Random, size: int, now: datetime) -> Wish:
    rows = list(dict.fromkeys([*people(dice, size), *dice.sample(SHARED, k=size // 10)]))
    late = {number: now + timedelta(seconds=dice.uniform(1, 6)) for number in rows[: size // 20]}
    rows += dice.sample(rows[len(late) :], k=max(1, size // 30))
    dice.shuffle(rows)
    settings: Json = {
        "name": f"No. {dice.randrange(10**6)}",
        "window": hours(dice.random(), now),
        "reserved_concurrency": dice.choice((0, 0, 0, 3)),
        "retry_policy": {"max_attempts": dice.choice((1, 1, 2, 3)), "delay_seconds": [0, 1]},
        "start": dice.random() < 0.9,
    }
    dated = dice.random() < 0.15
    date = now + timedelta(seconds=dice.uniform(3, 8))
    return Wish(tuple(rows), settings, late, date if dated else None)


def wish_all_at_once(dice: random.Random, size: int) -> Wish:
    """Everybody may be called now, and answers."""
    once = {"max_attempts": 1, "delay_seconds": [1]}
    settings: Json = {"name": "All", "window": ALWAYS, "retry_policy": once, "start": True}
    return Wish(tuple(people(dice, size, ANSWERING)), settings)


def _row(number: str, not_before: datetime | None) -> Json:
    row: Json = {"phone_number": number}
    return row if not_before is None else row | {"not_before": not_before.isoformat()}


def hours(chance: float, now: datetime) -> Json:
    """Mostly always; else hours that begin or end at the next full minute, or are not now."""
    edge = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    near = (edge - now).total_seconds() < EDGE_WITHIN
    if chance < 0.8:
        return ALWAYS
    if chance < 0.87 and near:
        return _hours(edge, edge + timedelta(hours=3))
    if chance < 0.94:
        return _hours(edge - timedelta(hours=3), edge)
    return _hours(edge + timedelta(hours=5), edge + timedelta(hours=8))


def _hours(start: datetime, end: datetime) -> Json:
    clock = "%H:%M"
    return {
        "start": start.astimezone(UTC).strftime(clock),
        "end": end.astimezone(UTC).strftime(clock),
        "days": list(WEEK),
        "timezone": "UTC",
    }
