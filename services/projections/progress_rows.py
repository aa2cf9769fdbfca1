"""A recipient's progress as its row tells it: the one way back from columns to the rules' words."""

from typing import TYPE_CHECKING

from contracts.outcomes import Outcome
from contracts.progress import Progress, Stage

if TYPE_CHECKING:
    from asyncpg import Record


def progress_of_row(row: "Record") -> Progress:
    return Progress(
        grant_no=row["grant_no"],
        stage=Stage(row["stage"]),
        epoch=row["epoch"],
        attempt=row["attempt"],
        run_attempt=row["run_attempt"],
        outcome=row["outcome"] and Outcome(row["outcome"]),
        ended_at=row["ended_at"],
        not_before=row["returned_not_before"],
    )
