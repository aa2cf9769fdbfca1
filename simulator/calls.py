"""The book of calls is the fold of the ledger: what a restart reads back is what was there.

`apply` is the only way a call changes, in the life of a call and when the ledger is read again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simulator.ledger import Entry

Status = Literal["queued", "ringing", "in_progress", "ended"]


@dataclass(slots=True)
class Call:
    carrier_call_id: str
    call_id: str
    to: str
    from_number: str
    created_at: str
    status: Status = "queued"
    answered_at: str | None = None
    ended_at: str | None = None
    sip_code: int | None = None
    answered_by: str | None = None
    duration: float | None = None
    reason: str | None = None

    @property
    def parties(self) -> Entry:
        """What every ledger entry of the call says."""
        return {
            "call_id": self.call_id,
            "carrier_call_id": self.carrier_call_id,
            "to": self.to,
            "from": self.from_number,
        }

    def view(self) -> Entry:
        known = {
            "status": self.status,
            "sip_code": self.sip_code,
            "answered_at": self.answered_at,
            "answered_by": self.answered_by,
            "ended_at": self.ended_at,
            "duration": self.duration,
            "reason": self.reason,
        }
        said = {name: value for name, value in known.items() if value is not None}
        return {**self.parties, "created_at": self.created_at, **said}


class CallBook:
    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        self._by_call_id: dict[str, list[Call]] = {}
        self._by_number: dict[str, list[Call]] = {}

    def apply(self, entry: Entry) -> None:
        match entry["kind"]:
            case "request" if entry["accepted"]:
                self._add(entry)
            case "ring":
                self._calls[entry["carrier_call_id"]].status = "ringing"
            case "answer":
                call = self._calls[entry["carrier_call_id"]]
                call.status, call.answered_at = "in_progress", entry["at"]
                call.sip_code, call.answered_by = entry["sip_code"], entry["answered_by"]
            case "end":
                call = self._calls[entry["carrier_call_id"]]
                call.status, call.ended_at = "ended", entry["at"]
                call.sip_code, call.duration = entry["sip_code"], entry["duration"]
                call.reason = entry["reason"]

    def __getitem__(self, carrier_call_id: str) -> Call:
        return self._calls[carrier_call_id]

    def get(self, carrier_call_id: str) -> Call | None:
        return self._calls.get(carrier_call_id)

    def first(self, call_id: str) -> Call | None:
        return next(iter(self._by_call_id.get(call_id, ())), None)

    def unfinished(self) -> list[Call]:
        return [call for call in self._calls.values() if call.status != "ended"]

    def find(
        self,
        *,
        call_id: str | None,
        to: str | None,
        from_number: str | None,
        since: datetime | None,
    ) -> Iterator[Call]:
        """The calls that match all that is asked, oldest first."""
        found: Iterable[Call] = self._calls.values()
        if call_id is not None:
            found = self._by_call_id.get(call_id, ())
        elif to is not None:
            found = self._by_number.get(to, ())
        for call in found:
            if (
                (to is None or call.to == to)
                and (from_number is None or call.from_number == from_number)
                and (since is None or datetime.fromisoformat(call.created_at) >= since)
            ):
                yield call

    def _add(self, entry: Entry) -> None:
        call = Call(
            carrier_call_id=entry["carrier_call_id"],
            call_id=entry["call_id"],
            to=entry["to"],
            from_number=entry["from"],
            created_at=entry["at"],
        )
        self._calls[call.carrier_call_id] = call
        self._by_call_id.setdefault(call.call_id, []).append(call)
        self._by_number.setdefault(call.to, []).append(call)
