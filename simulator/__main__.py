"""python -m simulator: until SIGTERM or Ctrl-C, and what it rang is on disk whatever ends it."""

import gc
import logging

import structlog
import uvloop
from aiohttp import web

from simulator.behaviour import Behaviour
from simulator.server import build_app
from simulator.settings import Settings


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
    web.run_app(
        build_app(settings.ledger, settings.behaviour or Behaviour()),
        host=settings.http_host,
        port=settings.http_port,
        access_log=None,
        print=None,
        shutdown_timeout=1,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
