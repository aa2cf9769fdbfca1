"""What a carrier's codes mean for a call: the only table of it (SIP: RFC 3261, section 21)."""

from collections.abc import Mapping
from types import MappingProxyType

from contracts.outcomes import Outcome

OF_SIP: Mapping[int, Outcome] = MappingProxyType(
    {
        404: Outcome.INVALID,
        408: Outcome.NO_ANSWER,
        410: Outcome.INVALID,
        480: Outcome.NO_ANSWER,
        484: Outcome.INVALID,
        486: Outcome.BUSY,
        487: Outcome.NO_ANSWER,
        600: Outcome.BUSY,
        603: Outcome.DECLINED,
        604: Outcome.INVALID,
        607: Outcome.DECLINED,
    }
)
OK = 200


def outcome_of(sip_code: int | None, answered_by: str | None) -> tuple[Outcome, str]:
    """The outcome of an ended call, and its cause as a stable word."""
    if answered_by is not None and sip_code in (None, OK):
        reached = Outcome.VOICEMAIL if answered_by == "machine" else Outcome.COMPLETED
        return reached, f"answered_by_{'machine' if answered_by == 'machine' else 'human'}"
    if sip_code is None:
        return Outcome.FAILED, "no_code"
    return OF_SIP.get(sip_code, Outcome.FAILED), f"sip_{sip_code}"
