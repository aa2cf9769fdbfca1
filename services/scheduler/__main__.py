"""`python -m services.scheduler`."""

from chassis.service import run
from services.scheduler.app import build_app
from services.scheduler.settings import Settings

if __name__ == "__main__":
    run(build_app, Settings)
