"""`python -m services.ingest` takes commands until it is told to stop."""

if __name__ == "__main__":
    # not above: a process that only reads lists passes over this module, and needs none of it
    from chassis.service import run
    from services.ingest.app import build_app
    from services.ingest.settings import IngestSettings

    run(build_app, IngestSettings)
