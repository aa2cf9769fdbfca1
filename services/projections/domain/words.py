"""What is in the way, in sentences for whoever runs the batch; nothing in them is personal."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.calendar import effective_zones
from contracts.eligibility import Code, Reason
from contracts.outcomes import Outcome, RecipientStatus, status_of
from contracts.progress import Stage
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch
from services.projections.domain.why import COUNTED, Person


@dataclass(frozen=True, slots=True)
class Telling:
    """All that the sentences are made of."""

    batch: Batch
    person: Person
    now: datetime
    ahead: int = 0
    """Of the batch's people, how many get a slot first."""
    more: bool = False
    """There are more than were counted."""
    paused_by: str | None = None

    def message(self, reason: Reason) -> str:
        match reason.code:
            case Code.NOT_STARTED:
                return self._not_started(reason)
            case Code.BATCH_PAUSED:
                return self._paused()
            case Code.BATCH_ENDED:
                how = _ENDED.get(self.batch.state.status, "has ended")
                return f"The batch {how}; retry it to call whoever was not reached."
            case Code.WINDOW_CLOSED:
                return self._window(reason)
            case Code.NOT_BEFORE:
                return f"This recipient is not to be called before {self.when(reason.until)}."
            case Code.RETRY_DELAY:
                return self._retry(reason)
            case Code.NUMBER_BUSY:
                return self._number_busy(reason)
            case Code.NO_FREE_SLOT:
                return f"{self._behind()}: {self._slots()}."
            case Code.CALLED:
                return self._called()
            case _:
                return _PLAIN[reason.code]

    def when(self, instant: datetime | None) -> str:
        """In the first zone that the hours are judged by."""
        if instant is None:
            return "a time that is not known"
        judged = effective_zones(self.batch.created.window, self.person.zones, self.now)
        zone = judged[0] if judged else "UTC"
        local = instant.astimezone(ZoneInfo(zone))
        return f"{local:%A} {local.day} {local:%B %Y} at {local:%H:%M} ({zone})"

    def _not_started(self, reason: Reason) -> str:
        if self.batch.state.status is BatchStatus.PENDING:
            return "The batch waits for somebody to start it."
        if reason.until is None or reason.until <= self.now:
            return "The batch is about to start."
        return f"The batch has not started: it is scheduled for {self.when(reason.until)}."

    def _paused(self) -> str:
        by = f" by {self.paused_by}" if self.paused_by else ""
        at = self.batch.turned_at
        return f"The batch was paused{by}{f' on {self.when(at)}' if at else ''}; resume it."

    def _window(self, reason: Reason) -> str:
        if reason.until is None:
            return (
                "In no hour can all time zones of this number be called: give the window a"
                " fallback_timezone."
            )
        return f"The calling window is closed; it opens on {self.when(reason.until)}."

    def _retry(self, reason: Reason) -> str:
        progress, most = self.person.progress, self.batch.created.retry_policy.max_attempts
        return (
            f"The last call ended as {progress.outcome}: attempt {progress.run_attempt + 1} of"
            f" {most} is due on {self.when(reason.until)}."
        )

    def _number_busy(self, reason: Reason) -> str:
        if reason.until is not None:
            return (
                "The number was in another call, or the carrier took no more calls: the call is"
                f" tried again on {self.when(reason.until)}."
            )
        earlier = self.person.same_number
        if earlier is not None and earlier.in_flight:
            return "The same number is in another call of this batch."
        return "The same number comes earlier in this batch, and is called there first."

    def _behind(self) -> str:
        if not self.ahead:
            return "The next free slot of the batch is for this recipient"
        more = "more than " if self.more else ""
        others = "other" if self.ahead == 1 and not self.more else "others"
        ahead = min(self.ahead, COUNTED)
        return f"Waiting for a slot behind {more}{ahead:,} {others} of this batch"

    def _slots(self) -> str:
        slots, reserved = self.batch.slots, self.batch.created.reserved_concurrency
        most = slots.most(reserved)
        if slots.limit is None or most is None:
            return "the account's slots are taken"
        own = f"{self.batch.in_flight:,} of them by this batch"
        if slots.taken >= slots.limit:
            return f"all {slots.limit:,} calls of the account are taken, {own}"
        taken = f"{slots.taken:,} of the account's {slots.limit:,} calls are taken, {own}"
        if slots.taken >= most:
            return f"{taken}, and the batch leaves {slots.limit - most:,} to others"
        return f"{taken}, and the free ones are about to be granted"

    def _called(self) -> str:
        progress = self.person.progress
        if progress.stage is Stage.STARTED:
            return "This recipient is in a call."
        outcome = self.batch.shown(progress).outcome or Outcome.UNKNOWN
        said = f"This recipient has been called: attempt {progress.attempt} ended as {outcome}."
        if status_of(outcome) is RecipientStatus.COMPLETED:
            return said
        return f"{said} Retry the batch to call again."


_ENDED = {BatchStatus.CANCELLED: "was cancelled", BatchStatus.FAILED: "has failed"}
_PLAIN = {
    Code.PLACING: "A slot is granted, and the call is about to be placed.",
    Code.SUPPRESSED: "The number is on the do-not-call list.",
    Code.EXPIRED: "The batch ran out of time before this call; retry it to call after all.",
}
