"""What became of a wish, as a person reads it: nothing is said to be done that is not certain."""

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]

GONE: Final = "Deleted: no call of it is live, and what it knew of people is destroyed."
CLEARED: Final = {
    "start": "Started: people are called in the batch's hours.",
    "resume": "Resumed: it goes on where it was paused.",
    "retry": "Started again: who failed or did not answer is called again, who was never called"
    " for the first time.",
}
"""What lets calls begin."""
STOPPED: Final = {"pause": "Paused", "cancel": "Cancelled"}


def verdict(answer: Mapping[str, Any], batch: Json | None) -> str:
    """`batch`: as it reads by now; None: that is not known."""
    action, batch_id = answer["action"], answer["batch_id"]
    stops = action in STOPPED
    if not answer["confirmed"]:
        return taken(batch_id, "calls may still begin" if stops else None)
    if stops:
        return f"{STOPPED[action]}: no further call is begun; {_live(batch)}."
    said = CLEARED[action]
    return said if batch is None else f"{said}\n{state(batch)}"


def taken(batch_id: str, meanwhile: str | None = None) -> str:
    said = f"Taken; not confirmed yet{f', {meanwhile}' if meanwhile else ''}"
    return f"{said}: watch it with `rollcall batch watch {batch_id}`"


def state(batch: Json) -> str:
    phase = batch["phase"].replace("_", " ")
    left = f"{batch['remaining']:,} of {batch['recipients']['total']:,} people left"
    said = f"{batch['status']} ({phase}): {left}"
    return f"{said}; {batch['reason']}" if batch["reason"] else said


def _live(batch: Json | None) -> str:
    if batch is None:
        return "calls that are live finish"
    match batch["recipients"]["in_progress"]:
        case 0:
            return "none is live"
        case 1:
            return "1 call that is live finishes"
        case live:
            return f"{live:,} calls that are live finish"


def added(answer: Mapping[str, Any], batch: Json | None) -> str:
    lines = [f"{answer['accepted']:,} accepted, {answer['rejected']:,} rejected"]
    if answer["rejected"]:
        lines.append(f"why: `rollcall batch rejections {answer['batch_id']}`")
    if not answer["confirmed"]:
        lines.append(taken(answer["batch_id"]))
    elif batch is not None:
        lines.append(state(batch))
    return "\n".join(lines)


def removed(answer: Mapping[str, Any]) -> str:
    if not answer["confirmed"]:
        return taken(answer["batch_id"])
    return f"{answer['recipient_id']} is removed and is not called"


def leaving(batch_id: str) -> str:
    """Of a batch that is deleted, but not over."""
    return (
        "Deleting: no new call is to begin, but calls may still be live."
        f"\nWhether it is over: `rollcall batch delete {batch_id} --yes` once more"
    )
