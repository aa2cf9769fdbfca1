"""A dialer that does not look at a grant's epoch: it calls for batches that are paused."""

from chassis.queries import Queries
from chassis.service import Service, run
from services.dialer import granting
from services.dialer.app import build_app
from services.dialer.settings import DialerSettings
from services.dialer.store import Q

LOOK = "g.for_good OR c.epoch <= g.closed_through_epoch"


def careless() -> Queries:
    texts = dict(Q)
    assert LOOK in texts["intend"]
    return Queries(texts | {"intend": texts["intend"].replace(LOOK, "false")}, "a mutant")


async def build(settings: DialerSettings) -> Service:
    vars(granting)["Q"] = careless()
    return await build_app(settings)


if __name__ == "__main__":
    run(build, DialerSettings)
