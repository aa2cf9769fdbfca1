"""A dialer that does not ask the clock before it sends: frozen and thawed, it rings too late."""

from collections.abc import Callable

from chassis.service import Service, run
from services.dialer.app import build_app
from services.dialer.carriers.port import Answer, Carrier, Order
from services.dialer.carriers.simulator import Simulator
from services.dialer.settings import DialerSettings


class Timeless(Simulator):
    async def place(self, order: Order, may_send: Callable[[], bool]) -> Answer:  # noqa: ARG002
        return await super().place(order, lambda: True)


def timeless(settings: DialerSettings) -> Carrier:
    return Timeless(
        url=settings.carrier_url,
        callback_url=settings.callback_url,
        request_timeout=settings.request_timeout_seconds,
    )


async def build(settings: DialerSettings) -> Service:
    return await build_app(settings, timeless)


if __name__ == "__main__":
    run(build, DialerSettings)
