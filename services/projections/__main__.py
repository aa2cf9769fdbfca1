"""`python -m services.projections`: answers reads until it is told to stop."""

from chassis.service import run
from services.projections.app import build_app
from services.projections.settings import ProjectionsSettings

if __name__ == "__main__":
    run(build_app, ProjectionsSettings)
