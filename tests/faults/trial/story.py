"""What happened to one person, in the order of time: faults, words, events and the network's rows.

Nothing in it is personal but the numbers of the simulated network: sealed parts stay sealed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from contracts.event import Event
from contracts.topics import TOPICS
from tests.faults.trial.checks import Breach
from tests.faults.trial.fire import Struck
from tests.faults.trial.rounds import Trial
from tests.faults.trial.said import everything
from tests.house import House

OF_AN_EVENT = (
    "grant_no", "attempt", "epoch", "command_no", "sequence", "status", "reason", "detail",
    "outcome", "cause", "limit", "place_before", "send_before", "not_before", "through_epoch",
    "call_id", "batch_id", "recipient_id",
)  # fmt: skip
OF_AN_ENTRY = ("call_id", "to", "status", "accepted", "event", "sip_code", "delivered")
MOST = 400
"""Lines."""
Said = tuple[datetime, str, str]


class Line(NamedTuple):
    at: datetime
    what: str


def story(house: House, breach: Breach, struck: Sequence[Struck], said: Sequence[Said]) -> str:
    ledger = house.ledger().to({breach.to})
    events = everything(house.endpoints["kafka"], TOPICS)
    calls = {entry["call_id"] for entry in ledger.entries}
    mine = [event for event in events if _is_of(event, breach, calls)]
    asked = [line for line in said if line[1] in {"", breach.batch_id}]
    lines = [
        *(Line(one.at, f"FAULT   {one}") for one in struck),
        *(Line(at, f"ASKED   {what}") for at, _, what in asked),
        *(Line(event.at, f"EVENT   {words(event)}") for event in mine),
        *(Line(datetime.fromisoformat(e["at"]), f"LEDGER  {_entry(e)}") for e in ledger.entries),
    ]
    head = f"{breach.check}: {breach.what}\nbatch {breach.batch_id or '-'}, to {breach.to or '-'}"
    return "\n".join([head, *(f"{line.at.time()} {line.what}" for line in sorted(lines)[-MOST:])])


def words(event: Event) -> str:
    fields = {name: getattr(event, name, None) for name in OF_AN_EVENT}
    shown = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
    return f"{type(event).__name__} {shown}"


def _entry(entry: dict[str, object]) -> str:
    shown = " ".join(f"{name}={entry[name]}" for name in OF_AN_ENTRY if name in entry)
    return f"{entry['kind']} {shown}"


def _is_of(event: Event, breach: Breach, calls: set[str]) -> bool:
    """Of the person's calls; else of the batch alone, not of everyone in it."""
    call_id = getattr(event, "call_id", None)
    if call_id is not None:
        return (
            str(call_id) in calls or str(getattr(event, "recipient_id", "")) == breach.recipient_id
        )
    return str(getattr(event, "batch_id", None)) == breach.batch_id


def tell(trial: Trial, breaches: Sequence[Breach]) -> str:
    """One of each kind is enough to begin with."""
    said = [line for desk in trial.desks for line in desk.said]
    first = {breach.check: breach for breach in reversed(breaches)}
    told = [story(trial.house, breach, trial.struck, said) for breach in first.values()]
    return "\n\n".join([f"{len(breaches)} breaches, seed {trial.seed}", *told])
