"""Random people at work on several batches at once, told by a seed; and what they were promised.

What is printed is the story: pytest shows it with a failure.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.house import House, Json, until
from tests.life import Answer, Life, later, people

AGENTS = ("soak-a", "soak-b")
MORTAL = ("dialer-1", "dialer-2", "scheduler", "projections")
CALLER = "+442079460700"
ACTIONS = ("start", "pause", "resume", "cancel", "retry")
QUIET = {"pause", "cancel"}
AGAIN = {"start", "resume", "retry"}
DIRECTORY = {"agent_id", "from_number", "reserved_concurrency"}
"""What may be as a batch needs it, or not: the limit may have been lowered."""
MOST = 40
"""The highest limit."""
MOST_BATCHES = 8


@dataclass
class Known:
    """A batch as those who gave the orders know it."""

    batch_id: str
    fewest: int
    most: int
    """Rows; nobody may know of some whether they came in, or out."""
    deleted: bool = False
    silent: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    """From the answer that it is quiet until somebody asks for more."""

    def hush(self) -> None:
        if not self.silent or self.silent[-1][1] is not None:
            self.silent.append((datetime.now(UTC), None))

    def wake(self) -> None:
        if self.silent and self.silent[-1][1] is None:
            self.silent[-1] = (self.silent[-1][0], datetime.now(UTC))


class Soak:
    def __init__(self, house: House, seed: int) -> None:
        self.life = Life(house)
        self.batches: list[Known] = []
        self._dice = random.Random(seed)
        self._shared = people(2)
        self._killed: set[int] = set()
        print(f"seed {seed}")

    def close(self) -> None:
        self.life.close()

    @property
    def alive(self) -> list[Known]:
        return [batch for batch in self.batches if not batch.deleted]

    def prepare(self) -> None:
        self.life.house.prepare(concurrency=MOST)
        self._mend()
        self._behave()
        while len(self.batches) < 4:
            self._create()

    def work(self, commands: int, *, kills: int = 0) -> None:
        """`kills`: of each hundred."""
        moves: Mapping[Callable[[], None], int] = {
            self._act: 60, self._add: 8, self._remove: 8, self._create: 6, self._limit: 5,
            self._switch: 6, self._behave: 4, self._rename: 3, self._delete: 2,
            self._kill: kills,
        }  # fmt: skip
        for move in self._dice.choices(list(moves), list(moves.values()), k=commands):
            move()

    def _mend(self) -> None:
        self.life.house.command("PUT", f"/v1/phone-numbers/{CALLER}", {"outbound": True})
        for agent in AGENTS:
            self.life.switch(agent=agent, active=True, caller=CALLER)

    def say(self, *words: object) -> None:
        print(datetime.now(UTC).time(), *words)

    def _one(self) -> Known:
        return self._dice.choice(self.alive)

    def _rows(self) -> list[str]:
        """Mostly of their own; some number may be in other batches, or twice in this one."""
        fresh = people(self._dice.randint(3, 20), *self._dice.choices(("1111", "0002"), (4, 1)))
        return [*fresh, *self._dice.choices([*self._shared, fresh[0]], k=self._dice.randint(0, 1))]

    def _create(self) -> None:
        if len(self.alive) >= MOST_BATCHES:
            return
        rows, dice = self._rows(), self._dice
        settings: Json = {
            "start": dice.random() < 0.8,
            "agent_id": dice.choice(AGENTS),
            "reserved_concurrency": dice.choice((0, 0, 2)),
            "retry_policy": {"max_attempts": dice.randint(1, 3), "delay_seconds": [0, 1]},
        }
        if dice.random() < 0.2:
            settings["scheduled_at"] = later(dice.random() * 3 + 0.5)
        answer = self.life.try_create(rows, **settings)
        self.say("create", answer.code, answer.body.get("batch_id"), len(rows), settings)
        if answer.code == 202:
            self.life.show(answer.body["batch_id"], since=answer)
            self.batches.append(Known(answer.body["batch_id"], len(rows), len(rows)))
        else:
            assert {error["field"] for error in answer.body["errors"]} <= DIRECTORY, answer

    def _act(self) -> None:
        """Most of them what the batch allows."""
        batch = self._one()
        allowed = set(self.life.show(batch.batch_id)["allowed_actions"]).intersection(ACTIONS)
        wise = allowed and self._dice.random() < 0.7
        self.act(batch, self._dice.choice(sorted(allowed) if wise else ACTIONS))

    def act(self, batch: Known, action: str) -> Answer:
        body: Json = {}
        if action == "retry":
            body["include_unknown"] = self._dice.random() < 0.5
        if action in AGAIN:
            batch.wake()
        answer = self.life.ask(batch.batch_id, action, **body)
        self.say(action, batch.batch_id, answer.code, answer.body.get("batch_status"))
        if answer.code == 409:
            assert action not in answer.body["allowed_actions"], answer
        else:
            assert answer.code in (200, 202), answer
        if action in QUIET and answer.code == 200:
            batch.hush()
        return answer

    def _add(self) -> None:
        batch, rows = self._one(), self._rows()
        answer = self.life.add(batch.batch_id, rows)
        self.say("add", batch.batch_id, len(rows), answer.verdict)
        assert answer.verdict in ((202, None), (409, "batch_ended")), answer
        if answer.code == 202:
            batch.most += len(rows)
            batch.fewest += len(rows) * answer.body["confirmed"]

    def _remove(self) -> None:
        batch = self._one()
        found = self.life.rows(batch.batch_id)
        row = self._dice.choice(found) if found else {"recipient_id": batch.batch_id}
        answer = self.life.remove(batch.batch_id, row["recipient_id"])
        self.say("remove", batch.batch_id, row["recipient_id"], answer.verdict)
        refusals = ("batch_ended", "recipient_called", "recipient_not_found")
        assert answer.code == 202 or answer.verdict[1] in refusals, answer
        if answer.code == 202:
            batch.fewest -= 1
            batch.most -= answer.body["confirmed"]

    def _limit(self) -> None:
        limit = self._dice.randint(1, MOST)
        self.say("limit", limit)
        self.life.limit(limit)

    def _switch(self) -> None:
        if self._dice.random() < 0.3:
            outbound = self._dice.random() < 0.75
            self.say("caller", outbound)
            body = {"outbound": outbound}
            self.life.house.command("PUT", f"/v1/phone-numbers/{CALLER}", body)
            return
        agent, active = self._dice.choice(AGENTS), self._dice.random() < 0.75
        self.say(agent, active)
        self.life.switch(agent=agent, active=active, caller=CALLER)

    def _behave(self) -> None:
        dice = self._dice
        faults = ("error_5xx", "lost_response", "lost_request", "slow", "duplicate_callback",
                  "late_callback", "reordered_callback", "unauthorized")  # fmt: skip
        likely = dict.fromkeys(dice.sample(faults, k=3), 0.05)
        behaviour: Json = {
            "seed": dice.randrange(10**6),
            "ring_seconds": [0, 0.3],
            "talk_seconds": [0, dice.choice((0.1, 1.5, 4))],
            "faults": {**likely, "slow_seconds": 1, "late_seconds": 1},
        }
        self.say("carrier", behaviour)
        self.life.house.behave(**behaviour)

    def _rename(self) -> None:
        answer = self.life.ask(self._one().batch_id, "rename", name=f"No. {self._dice.random()}")
        assert answer.code == 200, answer

    def _delete(self) -> None:
        if len(self.alive) > 3:
            self.delete(self._one())

    def delete(self, batch: Known) -> None:
        batch.deleted = True
        answer = self.life.ask(batch.batch_id, "delete")
        self.say("delete", batch.batch_id, answer.code)
        assert answer.code in (202, 204), answer
        if answer.code == 204:
            batch.hush()

    def _kill(self) -> None:
        part = self._dice.choice(MORTAL)
        until(lambda: self.life.house.pid(part) not in self._killed, f"{part} up again", 60)
        self.say("kill", part)
        self._killed.add(self.life.house.kill(part))

    def calm(self) -> None:
        """Everything is mended, and each batch is let go, taken up again, or given up."""
        self.say("now calm")
        self.life.house.behave(seed=1, ring_seconds=0.02, talk_seconds=0.1)
        self.life.limit(MOST)
        self._mend()
        for batch in self.alive:
            match self.life.show(batch.batch_id)["status"]:
                case "PENDING":
                    self.act(batch, self._dice.choice(("start", "cancel")))
                case "PAUSED":
                    self.act(batch, self._dice.choice(("resume", "resume", "cancel")))
                case "CANCELLED" | "FAILED" if self._dice.random() < 0.7:
                    self.act(batch, "retry")
                case _:
                    pass

    def ends(self, seconds: float) -> list[Json]:
        """Each batch once nothing of it goes on any more."""
        return [self.life.ended(batch.batch_id, seconds) for batch in self.alive]
