"""python -m simulator: until SIGTERM or Ctrl-C, and what it rang is on disk whatever ends it.

A ledger that can no longer be written ends it too, with status 1: the next life reads what the
disk has, where this one could only refuse for ever.
"""

import gc
import logging
import signal
import sys
from functools import partial

import structlog
import uvloop
from aiohttp import web

from simulator.behaviour import Behaviour
from simulator.server import LEDGER, build_app
from simulator.settings import Settings

log = structlog.get_logger()


def main() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    settings = Settings()
    gc.set_threshold(50_000, 20, 50)  # remembered calls live for good: seldom look through them
    stop = partial(signal.raise_signal, signal.SIGTERM)
    behaviour = settings.behaviour or Behaviour()
    app = build_app(settings.ledger, behaviour, on_broken_ledger=stop)
    web.run_app(
        app,
        host=settings.http_host,
        port=settings.http_port,
        access_log=None,
        print=None,
        shutdown_timeout=1,
        loop=uvloop.new_event_loop(),
    )
    if not app[LEDGER].healthy:
        log.critical("network_ended", why="ledger_broken", to_do="see that its disk has room")
        sys.exit(1)


if __name__ == "__main__":
    main()
