"""python -m services.dialer: until SIGTERM; requests at hand are seen to their answer."""

from chassis.service import run
from services.dialer.app import build_app
from services.dialer.settings import DialerSettings

if __name__ == "__main__":
    run(build_app, DialerSettings)
