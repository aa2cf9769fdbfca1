"""A dialer that asks again when it got no answer: it rings people twice, and must be convicted."""

from collections.abc import Callable

from chassis.service import Service, run
from services.dialer.app import build_app
from services.dialer.carriers.port import Ambiguous, Answer, Carrier, Order
from services.dialer.carriers.simulator import Simulator
from services.dialer.settings import DialerSettings


class Retrying(Simulator):
    async def place(self, order: Order, may_send: Callable[[], bool]) -> Answer:
        answer = await super().place(order, may_send)
        if isinstance(answer, Ambiguous):
            return await super().place(order, may_send)
        return answer


def retrying(settings: DialerSettings) -> Carrier:
    return Retrying(
        url=settings.carrier_url,
        callback_url=settings.callback_url,
        request_timeout=settings.request_timeout_seconds,
    )


async def build(settings: DialerSettings) -> Service:
    return await build_app(settings, retrying)


if __name__ == "__main__":
    run(build, DialerSettings)
