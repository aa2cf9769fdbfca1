"""A batch's header at an instant, from what was told of it until then, in whatever order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from contracts.batches import Addition
from services.projections.domain.batch import Batch, State, before_any_status
from services.projections.domain.evidence import TURNS
from services.projections.domain.slots import Lately

Facts: TypeAlias = Mapping[str, Any]
_TURNS = frozenset(turn.__name__ for turn in TURNS)


@dataclass
class Past:
    """What the batch's own events add up to."""

    state: State | None = None
    sequence: int = 0
    turn: int = 0
    turned_at: datetime | None = None
    turned_by: int | None = None
    expired_epoch: int = -1
    gate_epoch: int = -1
    landed: int = 0
    asked: dict[str, Addition] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    removed: set[UUID] = field(default_factory=set)

    @property
    def additions(self) -> list[Addition]:
        return [self.asked[one] for one in self.accepted if one in self.asked]


def past_of(told: Iterable[tuple[str, datetime, Facts]]) -> Past:
    past = Past()
    for kind, at, facts in told:
        if kind in _TURNS and facts["sequence"] > past.turn:
            past.turn, past.turned_at, past.turned_by = facts["sequence"], at, facts["command_no"]
        _tell(past, kind, facts)
    return past


def _tell(past: Past, kind: str, facts: Facts) -> None:
    if "sequence" in facts:
        _tell_status(past, facts)
    match kind:
        case "BatchCreated" | "RecipientsAddRequested":
            addition = facts["addition"]
            past.asked[addition["addition_id"]] = Addition.model_validate(addition)
            if kind == "BatchCreated":
                past.accepted.add(addition["addition_id"])
        case "RecipientsAddAccepted":
            past.accepted.add(facts["addition_id"])
        case "RecipientRemoved":
            past.removed.add(UUID(facts["recipient_id"]))
        case "RecipientsAdded":
            past.landed += 1
        case "BatchGateClosed":
            past.gate_epoch = max(past.gate_epoch, facts["through_epoch"])
        case _:
            pass


def _tell_status(past: Past, facts: Facts) -> None:
    if facts.get("expired"):
        past.expired_epoch = max(past.expired_epoch, facts["epoch"])
    if facts["sequence"] > past.sequence:
        past.sequence = facts["sequence"]
        past.state = State.model_validate(facts)


def as_it_was(
    batch: Batch,
    past: Past,
    *,
    name: str | None,
    standings: Mapping[str, int],
    lately: Lately,
) -> Batch:
    """The batch with all that time has changed put back."""
    people = sum(each.recipients for each in past.additions) - len(past.removed)
    return replace(
        batch,
        name=name,
        state=past.state or before_any_status(batch.created),
        sequence=past.sequence,
        turned_at=past.turned_at,
        turned_by=past.turned_by,
        expired_epoch=past.expired_epoch,
        gate_epoch=past.gate_epoch,
        # where the services' clocks differ, somebody may be called before the list is accepted
        total=max(people, sum(standings.values())),
        rejected=sum(each.rejected for each in past.additions),
        additions=len(past.additions),
        chunks=sum(each.chunks for each in past.additions),
        landed=past.landed,
        standings=standings,
        uncalled={},
        lately=lately,
    )
