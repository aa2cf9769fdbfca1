"""`python -m tests.faults.trial.accounts ingest|projections`: whose request it is, a header says.

The product has one account until it knows API keys; a trial needs several.
"""

import sys
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Header

HEADER = "Rollcall-Account"


def named(rollcall_account: Annotated[str, Header()] = "default") -> str:
    return rollcall_account


def with_accounts(app: object, account_of: Callable[..., str]) -> None:
    assert isinstance(app, FastAPI)
    app.dependency_overrides[account_of] = named


def main(service: str) -> None:
    # Imported here: a process that only reads lists passes over this module, and needs none of it.
    from chassis.service import Service, run  # noqa: PLC0415

    if service == "ingest":
        from services.ingest import app as ingest  # noqa: PLC0415
        from services.ingest.api.account import account_of  # noqa: PLC0415
        from services.ingest.settings import IngestSettings  # noqa: PLC0415

        async def taking(settings: IngestSettings) -> Service:
            built = await ingest.build_app(settings)
            with_accounts(built.app, account_of)
            return built

        run(taking, IngestSettings)
    else:
        from services.projections import app as projections  # noqa: PLC0415
        from services.projections.api.account import account_of as reader  # noqa: PLC0415
        from services.projections.settings import ProjectionsSettings  # noqa: PLC0415

        async def reading(settings: ProjectionsSettings) -> Service:
            built = await projections.build_app(settings)
            with_accounts(built.app, reader)
            return built

        run(reading, ProjectionsSettings)


if __name__ == "__main__":
    main(sys.argv[1])
