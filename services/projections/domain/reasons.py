"""Why a batch has failed, in words that say what to do; retry continues it once that is done."""

from services.projections.domain.batch import State

_WORDS = {
    "agent_inactive": "The agent is disabled; enable it, then retry the batch.",
    "carrier_unauthorized": "The carrier refuses its credentials; mend them, then retry the batch.",
    "from_number_not_outbound": (
        "The number to call from may not call out; allow it to, then retry the batch."
    ),
    "import_failed": "The list of recipients was lost; create the batch again from the file.",
}


def reason_in_words(state: State) -> str | None:
    """What the event says, if it says more than its code."""
    if state.reason_code is None:
        return state.reason
    words = _WORDS.get(state.reason_code, f"It failed with {state.reason_code}.")
    return state.reason or words
