"""What is not the account's own is not found, like what does not exist."""

from uuid import UUID

from chassis.problems import Problem
from services.projections.domain.batch import Batch
from services.projections.store import Reads


async def batch_of(reads: Reads, account: str, batch_id: UUID) -> Batch:
    found = await reads.batches(account, [batch_id])
    if not found:
        raise not_found("batch")
    return found[0][0]


def not_found(what: str) -> Problem:
    """Of a batch, a recipient, a call: `batch_not_found`, as the service of commands says."""
    code = f"{what.partition(' ')[0]}_not_found"
    return Problem(404, code, f"There is no such {what}.", "Check the id.")
