"""`python -m tests.faults.mutants.broken SERVICE`: the service, broken as ROLLCALL_MUTANT says."""

import os
import sys
from importlib import import_module

from chassis.service import run
from tests.faults.trial import accounts

HERE = "tests.faults.mutants"


def main(part: str) -> None:
    """The mutant is named as `module.function`."""
    module, _, function = os.environ["ROLLCALL_MUTANT"].partition(".")
    getattr(import_module(f"{HERE}.{module}"), function)()
    service = part.partition("-")[0]
    if service in {"ingest", "projections"}:
        accounts.main(service)
    elif service == "dialer":
        from services.dialer import app as dialer  # noqa: PLC0415 - only what is run
        from services.dialer.settings import DialerSettings  # noqa: PLC0415

        run(dialer.build_app, DialerSettings)
    else:
        from services.scheduler import app as scheduler  # noqa: PLC0415
        from services.scheduler.settings import Settings  # noqa: PLC0415

        run(scheduler.build_app, Settings)


if __name__ == "__main__":
    main(sys.argv[1])
