"""What is in the way, in sentences for whoever runs the batch; nothing in them is personal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
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
        return _SENTENCES[reason.code](self, reason)

    def when(self, instant: datetime | None) -> str:
        """In the first zone that the hours are judged by."""
        if instant is None:
            return "a time that is not known"
        judged = effective_zones(self.batch.created.window, self.person.zones, self.now)
        zone = judged[0] if judged else "UTC"
        local = instant.astimezone(ZoneInfo(zone))
        return f"{local:%A} {local.day} {local:%B %Y} at {local:%H:%M} ({zone})"

    def not_started(self, reason: Reason) -> str:
        if self.batch.state.status is BatchStatus.PENDING:
            return "The batch waits for somebody to start it."
        if reason.until is None or reason.until <= self.now:
            return "The batch is about to start."
        return f"The batch has not started: it is scheduled for {self.when(reason.until)}."

    def paused(self, _: Reason) -> str:
        by = f" by {self.paused_by}" if self.paused_by else ""
        at = self.batch.turned_at
        return f"The batch was paused{by}{f' on {self.when(at)}' if at else ''}; resume it."

    def window(self, reason: Reason) -> str:
        if reason.until is None:
            return (
                "In no hour can all time zones of this number be called: give the window a"
                " fallback_timezone."
            )
        return f"The calling window is closed; it opens on {self.when(reason.until)}."

    def retry(self, reason: Reason) -> str:
        progress, most = self.person.progress, self.batch.created.retry_policy.max_attempts
        return (
            f"The last call ended as {progress.outcome}: attempt {progress.run_attempt + 1} of"
            f" {most} is due on {self.when(reason.until)}."
        )

    def number_busy(self, reason: Reason) -> str:
        if reason.until is not None:
            return (
                "The number was in another call, or the carrier took no more calls: the call is"
                f" tried again on {self.when(reason.until)}."
            )
        earlier = self.person.same_number
        if earlier is not None and earlier.in_flight:
            return "The same number is in another call of this batch."
        return "The same number comes earlier in this batch, and is called there first."

    def suppressed(self, reason: Reason) -> str:
        until = "" if reason.until is None else f" until {self.when(reason.until)}"
        return f"The number is on the do-not-call list{until}."

    def not_before(self, reason: Reason) -> str:
        return f"This recipient is not to be called before {self.when(reason.until)}."

    def ended(self, _: Reason) -> str:
        how = _ENDED.get(self.batch.state.status, "has ended")
        return f"The batch {how}; retry it to call whoever was not reached."

    def no_free_slot(self, _: Reason) -> str:
        return f"{self.behind()}: {self.slots()}."

    def behind(self) -> str:
        if not self.ahead:
            return "The next free slot of the batch is for this recipient"
        more = "more than " if self.more else ""
        others = "other" if self.ahead == 1 and not self.more else "others"
        ahead = min(self.ahead, COUNTED)
        return f"Waiting for a slot behind {more}{ahead:,} {others} of this batch"

    def slots(self) -> str:
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

    def called(self, _: Reason) -> str:
        progress = self.person.progress
        if progress.stage is Stage.STARTED:
            return "This recipient is in a call."
        outcome = self.batch.shown(progress).outcome or Outcome.UNKNOWN
        said = f"This recipient has been called: attempt {progress.attempt} ended as {outcome}."
        if status_of(outcome) is RecipientStatus.COMPLETED:
            return said
        return f"{said} Retry the batch to call again."


_ENDED = {BatchStatus.CANCELLED: "was cancelled", BatchStatus.FAILED: "has failed"}


def _says(sentence: str) -> Callable[[Telling, Reason], str]:
    return lambda _telling, _reason: sentence


_SENTENCES: Mapping[Code, Callable[[Telling, Reason], str]] = MappingProxyType(
    {
        Code.NOT_STARTED: Telling.not_started,
        Code.BATCH_PAUSED: Telling.paused,
        Code.BATCH_ENDED: Telling.ended,
        Code.WINDOW_CLOSED: Telling.window,
        Code.NOT_BEFORE: Telling.not_before,
        Code.RETRY_DELAY: Telling.retry,
        Code.NO_FREE_SLOT: Telling.no_free_slot,
        Code.NUMBER_BUSY: Telling.number_busy,
        Code.CALLED: Telling.called,
        Code.PLACING: _says("A slot is granted, and the call is about to be placed."),
        Code.SUPPRESSED: Telling.suppressed,
        Code.EXPIRED: _says(
            "The batch ran out of time before this call; retry it to call after all."
        ),
    }
)
