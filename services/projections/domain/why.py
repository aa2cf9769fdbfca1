"""Why somebody is not called yet: asked of the rules that decide, so it cannot say otherwise."""

from datetime import datetime

from contracts.calendar import effective_zones
from contracts.eligibility import BatchFacts, Code, Reason, RecipientFacts, why_not
from contracts.progress import Progress
from services.projections.domain.batch import Batch

MESSAGES = {
    Code.NOT_STARTED: "The batch has not started.",
    Code.BATCH_PAUSED: "The batch is paused; resume it.",
    Code.BATCH_ENDED: "The batch has ended; retry it to call who was not reached.",
    Code.WINDOW_CLOSED: "It is outside the hours in which calls may be placed.",
    Code.NOT_BEFORE: "This recipient is to be called later.",
    Code.RETRY_DELAY: "The last call did not reach them; the next attempt waits for its delay.",
    Code.NO_FREE_SLOT: "All of the account's calls are taken; the next free one may be theirs.",
    Code.NUMBER_BUSY: "The same number is in another call.",
    Code.PLACING: "The call is about to be placed.",
    Code.CALLED: "This recipient has been called.",
    Code.SUPPRESSED: "The number is on the do-not-call list.",
    Code.EXPIRED: "The batch ran out of time before this call.",
}


def reason_for(
    batch: Batch,
    progress: Progress,
    zones: str | None,
    not_before: datetime | None,
    *,
    same_number_in_call: bool,
    now: datetime,
) -> Reason:
    """The first thing in the way; if nothing is, it is that every slot is taken."""
    window = batch.created.window
    own = tuple(zones.split(",")) if zones else ()
    facts = BatchFacts(
        batch.status,
        window,
        batch.rules,
        scheduled_at=batch.state.scheduled_at,
        expires_at=batch.state.expires_at,
    )
    if batch.expired and batch.shown(progress).final and progress.outcome is None:
        return Reason(Code.EXPIRED)
    recipient = RecipientFacts(
        progress, effective_zones(window, own, now), not_before, same_number_in_call
    )
    return why_not(facts, recipient, now) or Reason(Code.NO_FREE_SLOT)
