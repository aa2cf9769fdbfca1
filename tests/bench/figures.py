"""Every figure owed, by the name it is asked for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.bench import (
    accounts,
    applying,
    checking,
    dialers,
    dormant,
    end_to_end,
    exporting,
    idling,
    landing,
    latency,
    listening,
    million,
    neighbours,
    pausing,
    publishing,
    reading,
    rebuilding,
    recognising,
    sharing,
    simultaneous,
    starting,
    stopping,
    turnover,
)
from tests.bench.figure import Figure
from tests.bench.sizes import Size
from tests.house import House

Measure = Callable[[House, Size], list[Figure]]

FIGURES: Mapping[str, Measure] = MappingProxyType(
    {
        "end_to_end": end_to_end.measure,
        "recognising": recognising.measure,
        "checking": checking.measure,
        "neighbours": neighbours.measure,
        "landing": landing.measure,
        "publishing": publishing.measure,
        "rebuilding": rebuilding.measure,
        "exporting": exporting.measure,
        "reading": reading.measure,
        "applying": applying.measure,
        "latency": latency.measure,
        "listening": listening.measure,
        "turnover": turnover.measure,
        "sharing": sharing.measure,
        "pausing": pausing.measure,
        "simultaneous": simultaneous.measure,
        "dialers": dialers.measure,
        "million": million.measure,
        "due": dormant.measure,
        "accounts": accounts.measure,
        "idling": idling.measure,
        "stopping": stopping.measure,
        "starting": starting.measure,
    }
)
