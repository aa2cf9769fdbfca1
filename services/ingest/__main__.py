"""`python -m services.ingest` takes commands until it is told to stop."""

from chassis.service import run
from services.ingest.app import build_app
from services.ingest.settings import IngestSettings

if __name__ == "__main__":
    run(build_app, IngestSettings)
