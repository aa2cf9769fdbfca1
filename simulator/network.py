"""A call rings only from `connect`, which comes after its ring is in the ledger and on the disk.

A live call is a timer, not a task: five thousand of them cost memory and nothing else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from simulator.behaviour import Behaviour, Script, script
from simulator.callbacks import Callbacks, Line
from simulator.calls import Call, CallBook
from simulator.conversation import collected, transcript
from simulator.ledger import Entry, Kind, Ledger
from simulator.wire import CallRequest

_REQUEST_TERMINATED = 487
_LOST = 500  # not 503: that would say the call was never tried


@dataclass(slots=True)
class Live:
    call: Call
    request: CallRequest
    script: Script
    line: Line
    recording_url: str
    seq: int
    timer: asyncio.TimerHandle | None = None
    answered: float | None = None


class Network:
    def __init__(self, ledger: Ledger, book: CallBook, callbacks: Callbacks) -> None:
        self._ledger = ledger
        self._book = book
        self._callbacks = callbacks
        self._live: dict[str, Live] = {}

    @property
    def live(self) -> int:
        return len(self._live)

    def lose_unfinished(self, last_seen: str) -> int:
        """End what was live when the network last stopped: nobody holds those calls any more."""
        lost = self._book.unfinished()
        for call in lost:
            ending = {
                "sip_code": call.sip_code or _LOST,
                "duration": seconds_between(call.answered_at or last_seen, last_seen),
                "reason": "lost",
            }
            self._record("end", call, ending)
        return len(lost)

    def place(
        self, request: CallRequest, behaviour: Behaviour, recordings: str, status: int | None
    ) -> Live:
        """Take the call into the ledger.  It rings at `connect`, once `seq` is on the disk."""
        carrier_call_id = f"sim-{uuid4().hex}"
        parties = {
            "call_id": request.call_id,
            "carrier_call_id": carrier_call_id,
            "to": request.to,
            "from": request.from_number,
        }
        entry = self._ledger.append("request", {**parties, "accepted": True, "status": status})
        self._book.apply(entry)
        call = self._book[carrier_call_id]
        plan = script(behaviour, request.call_id, request.to)
        if plan.rings:
            entry = self._record("ring", call, {})
        live = Live(
            call=call,
            request=request,
            script=plan,
            line=Line(request.callback_url, parties, behaviour),
            recording_url=f"{recordings}/{carrier_call_id}.wav",
            seq=entry["seq"],
        )
        self._live[carrier_call_id] = live
        return live

    def connect(self, live: Live) -> None:
        """Let a call whose ring is on the disk begin; it may have been hung up meanwhile."""
        if live.call.carrier_call_id not in self._live:
            return
        if not live.script.rings:
            self._end(live, live.script.sip_code, "network")
            return
        began = {"seq": live.seq, "at": live.call.created_at}
        self._callbacks.tell(live.line, "ringing", began, {})
        self._after(live, live.script.ring_seconds, self._stop_ringing)

    def hang_up(self, carrier_call_id: str) -> Call | None:
        """End the call if it is live; None if there never was such a call."""
        if (live := self._live.get(carrier_call_id)) is not None:
            code = 200 if live.answered is not None else _REQUEST_TERMINATED
            self._end(live, code, "hangup")
        return self._book.get(carrier_call_id)

    def stop(self) -> None:
        for live in self._live.values():
            if live.timer is not None:
                live.timer.cancel()

    def _after(self, live: Live, seconds: float, then: Callable[[Live], None]) -> None:
        if seconds <= 0:
            then(live)
        else:
            live.timer = asyncio.get_running_loop().call_later(seconds, then, live)

    def _stop_ringing(self, live: Live) -> None:
        code, answered_by = live.script.sip_code, live.script.answered_by
        if answered_by is None:
            self._end(live, code, "network")
            return
        said = {"sip_code": code, "answered_by": answered_by}
        live.answered = asyncio.get_running_loop().time()
        self._callbacks.tell(live.line, "answered", self._record("answer", live.call, said), said)
        most = live.request.max_duration
        if most is not None and most < live.script.talk_seconds:
            self._after(live, most, self._cut_off)
        else:
            self._after(live, live.script.talk_seconds, self._say_goodbye)

    def _say_goodbye(self, live: Live) -> None:
        self._end(live, live.script.sip_code, "completed")

    def _cut_off(self, live: Live) -> None:
        self._end(live, live.script.sip_code, "max_duration")

    def _end(self, live: Live, sip_code: int, reason: str) -> None:
        del self._live[live.call.carrier_call_id]
        if live.timer is not None:
            live.timer.cancel()
        talked = 0.0
        if live.answered is not None:
            talked = round(asyncio.get_running_loop().time() - live.answered, 3)
        ending = {"sip_code": sip_code, "duration": talked, "reason": reason}
        entry = self._record("end", live.call, ending)
        self._callbacks.tell(live.line, "ended", entry, {**ending, **_said(live)})

    def _record(self, kind: Kind, call: Call, more: Entry) -> Entry:
        entry = self._ledger.append(kind, {**call.parties, **more})
        self._book.apply(entry)
        return entry


def seconds_between(earlier: str, later: str) -> float:
    gone = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return max(0.0, round(gone.total_seconds(), 3))


def _said(live: Live) -> Entry:
    answered_by = live.call.answered_by
    if answered_by is None:
        return {}
    return {
        "answered_by": answered_by,
        "transcript": transcript(live.request.variables, answered_by),
        "collected": collected(live.request.variables, answered_by),
        "recording_url": live.recording_url,
    }
