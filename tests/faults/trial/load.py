"""People at work on an account: each of their words, and its promise, is kept for the judge."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from contracts.calendar import is_open, next_open
from tests.faults.trial.clerk import Answer, Clerk
from tests.faults.trial.known import Known, Limits
from tests.faults.trial.wishes import Wish, people, wish, wish_all_at_once
from tests.house import ALWAYS, House

STEADY, FICKLE = "steady", "fickle"
"""Agents: the second is taken out of use now and then, which fails its batches."""
AGAIN = {"pause": "resume", "cancel": "retry"}
"""What is quiet after the first goes on after the second."""
LETS_GO = {"waiting_for_start": "start", "paused": "resume"}
"""By the phase that a batch is shown in: of a word that was taken nobody knows what came of it."""
REFUSALS = {
    "action_not_allowed", "agent_inactive", "batch_ended", "recipient_called",
    "recipient_not_found", "scheduled_at_in_past",
}  # fmt: skip
OVER = {"completed", "cancelled", "failed"}
"""Phases in which nothing goes on any more."""
SOON = timedelta(seconds=25)
EVERY = 0.2
RECENT = 8
FIRST_CALLER, OF_A_DESK = 442071000000, 100_000


class Desk:
    """`most`: the account's highest limit; `number`: its callers are not those of other desks."""

    def __init__(self, house: House, account: str, seed: int, *, number: int, most: int) -> None:
        self.clerk = Clerk(house, account)
        self.account = account
        self.batches: list[Known] = []
        self.limits = Limits()
        self.said: list[tuple[datetime, str, str]] = []
        """When, of which batch, what was asked and answered."""
        self._dice = random.Random(f"{seed} {account}")
        self._most = most
        first = FIRST_CALLER + number * OF_A_DESK
        self._callers = iter(range(first, first + OF_A_DESK))
        self._keys = (f"{seed}-{account}-{n}" for n in range(10**9))

    def close(self) -> None:
        self.clerk.close()

    def open(self) -> None:
        self.limit(self._most)
        self._switch(STEADY, active=True)
        self._switch(FICKLE, active=True)

    def limit(self, concurrency: int) -> None:
        self.limits.set.append((datetime.now(UTC), concurrency))
        body = {"concurrency": concurrency, "default_window": ALWAYS}
        self._note("", f"limit {concurrency}", self.clerk.ask("PUT", "/v1/account", body))

    def create(self, size: int) -> Known | None:
        agent = self._dice.choice((STEADY, STEADY, STEADY, FICKLE))
        return self._ask_for(wish(self._dice, size, datetime.now(UTC)), agent)

    def all_at_once(self) -> Known:
        """A batch with more people than the account has slots, who all answer."""
        made = self._ask_for(wish_all_at_once(self._dice, self.limits.now + 5), STEADY)
        assert made is not None
        return made

    def _ask_for(self, wished: Wish, agent: str) -> Known | None:
        """None: its time has passed before anyone was there to be asked, or its agent is gone."""
        caller = f"+{next(self._callers)}"
        assert self.clerk.ask("PUT", f"/v1/phone-numbers/{caller}", {"outbound": True}).taken
        body = wished.body() | {"agent_id": agent, "from_number": caller}
        answer = self.clerk.ask("POST", "/v1/batches", body, next(self._keys))
        batch_id = answer.body.get("batch_id", "")
        self._note(batch_id, f"create {len(wished.rows)}", answer)
        if not answer.taken:
            return None
        batch = Known(self.account, batch_id, caller, wished, position=answer.position)
        if not wished.settings["start"]:
            batch.parked = "start"
            batch.hush(answer.asked_at)
        self.batches.append(batch)
        return batch

    def waiting(self, called: Mapping[str, int]) -> int:
        """How many may be called now and were not yet; `called`: requests by caller."""
        now = datetime.now(UTC)
        open_now = [
            batch
            for batch in self.batches
            if not batch.deleted and not batch.parked and is_open(batch.wish.window, ("UTC",), now)
        ]
        return sum(max(0, batch.fewest - called.get(batch.caller, 0)) for batch in open_now)

    def move(self) -> None:
        """One thing more that somebody asks for."""
        alive = [batch for batch in self.batches if not batch.deleted]
        if not alive:
            return
        moves: Mapping[Callable[[Known], object], int] = {
            self._pause: 6, self._let_go: 8, self._cancel: 2, self._retry: 3, self._add: 4,
            self._remove: 4, self._rename: 2, self._delete: 2, self._limit: 2,
            self._dismiss: 1, self._call_back: 2,
        }  # fmt: skip
        made = self._dice.choices(list(moves), list(moves.values()))[0]
        made(self._dice.choice(alive[-RECENT:]))

    def act(self, batch: Known, action: str) -> Answer:
        body = {"include_unknown": self._dice.random() < 0.5} if action == "retry" else None
        if action in {"start", "resume", "retry"}:
            batch.wake()
            batch.runs += action == "retry"
        path = f"/v1/batches/{batch.batch_id}/{action}"
        answer = self.clerk.ask("POST", path, body, next(self._keys))
        self._note(batch.batch_id, action, answer)
        if action in AGAIN and answer.code == HTTPStatus.OK:
            batch.hush(answer.at)
        if answer.taken:
            batch.position = answer.position
            if action in AGAIN or answer.code == HTTPStatus.OK:  # a 202 may be refused yet
                batch.parked = AGAIN.get(action, "")
        return answer

    def _pause(self, batch: Known) -> None:
        self.act(batch, "pause")

    def _cancel(self, batch: Known) -> None:
        self.act(batch, "cancel")

    def _retry(self, batch: Known) -> None:
        self.act(batch, "retry")

    def _let_go(self, _: Known) -> None:
        parked = [batch for batch in self.batches if batch.parked and not batch.deleted]
        if parked:
            batch = self._dice.choice(parked)
            self.act(batch, batch.parked)

    def _add(self, batch: Known) -> None:
        rows = people(self._dice, self._dice.randint(1, 8))
        batch.rows.update(rows)
        path = f"/v1/batches/{batch.batch_id}/recipients"
        body = {"recipients": [{"phone_number": number} for number in rows]}
        answer = self.clerk.ask("POST", path, body, next(self._keys))
        self._note(batch.batch_id, f"add {len(rows)}", answer)

    def _remove(self, batch: Known) -> None:
        path = f"/v1/batches/{batch.batch_id}/recipients"
        found = self.clerk.read(path, batch.position, limit=100, sort="-row")["data"]
        if found:
            batch.fewest -= 1
            answer = self.clerk.ask("DELETE", f"{path}/{self._dice.choice(found)['recipient_id']}")
            self._note(batch.batch_id, "remove", answer)

    def _rename(self, batch: Known) -> None:
        body = {"name": f"No. {self._dice.random()}"}
        answer = self.clerk.ask("PATCH", f"/v1/batches/{batch.batch_id}", body)
        self._note(batch.batch_id, "rename", answer)

    def _delete(self, batch: Known) -> None:
        batch.deleted = True
        self._is_gone(batch)

    def _limit(self, _: Known) -> None:
        self.limit(self._dice.randint(max(1, self._most // 4), self._most))

    def _dismiss(self, _: Known) -> None:
        self._switch(FICKLE, active=False)

    def _call_back(self, _: Known) -> None:
        self._switch(FICKLE, active=True)

    def _switch(self, agent: str, *, active: bool) -> None:
        body = {"name": "Trial", "active": active}
        answer = self.clerk.ask("PUT", f"/v1/agents/{agent}", body)
        self._note("", f"{agent} {active=}", answer)

    def _note(self, batch_id: str, what: str, answer: Answer) -> None:
        assert answer.taken or _code(answer) in REFUSALS, answer
        self.said.append((answer.at, batch_id, f"{what}: {answer.code}"))

    def calm(self) -> None:
        """Nothing is asked for any more that would keep a batch from its end."""
        self.limit(self._most)
        self._switch(FICKLE, active=True)

    def unsettled(self, seconds: float) -> list[Known]:
        """Waits until nothing of any batch goes on any more; gives those that do not end."""
        deadline = time.monotonic() + seconds
        late = list(self.batches)
        while late := [batch for batch in late if not self._is_over(batch)]:
            if time.monotonic() > deadline:
                return late
            time.sleep(EVERY)
        return []

    def _is_over(self, batch: Known) -> bool:
        """One that waits for a word is let go; one whose hours do not come soon is given up."""
        if batch.deleted:
            return self._is_gone(batch)
        phase = self.clerk.read(f"/v1/batches/{batch.batch_id}", batch.position)["phase"]
        now = datetime.now(UTC)
        opens = next_open(batch.wish.window, ("UTC",), now)
        if phase in LETS_GO:
            self.act(batch, LETS_GO[phase])
        if phase == "waiting_for_window" and (opens is None or opens > now + SOON):
            self.act(batch, "cancel")
        return phase in OVER

    def _is_gone(self, batch: Known) -> bool:
        answer = self.clerk.ask("DELETE", f"/v1/batches/{batch.batch_id}")
        self._note(batch.batch_id, "delete", answer)
        if answer.code == HTTPStatus.NO_CONTENT:
            batch.hush(answer.at)
        return answer.code == HTTPStatus.NO_CONTENT


def _code(answer: Answer) -> str:
    """The stable word of a refusal, of its first field where it has any."""
    errors = answer.body.get("errors")
    return str(errors[0]["code"] if errors else answer.body["code"])
