"""Each action in each status does what the table of the contract says, over HTTP, and no more."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import pytest

from contracts.lifecycle import allowed_actions, allows
from contracts.statuses import Action, BatchStatus
from tests.house import AGENT, House, Json, until
from tests.life import BRIEF, ENDLESS, SOON, Answer, Life, at_once, later, people

S, A = BatchStatus, Action
DISABLED = "disabled"
A_DAY = 24 * 3600
MOVING = {"calls_per_minute", "estimated_finish_at", "estimate_reason"}
"""These go by the clock."""


@dataclass(frozen=True, slots=True)
class State:
    status: BatchStatus
    failures: int = 0
    live: bool = False
    """Somebody is in a call."""


STATES: Mapping[str, State] = {
    "SCHEDULED": State(S.SCHEDULED),
    "PENDING": State(S.PENDING),
    "RUNNING": State(S.RUNNING, live=True),
    "PAUSED": State(S.PAUSED, live=True),
    "COMPLETED without failures": State(S.COMPLETED),
    "COMPLETED with failures": State(S.COMPLETED, failures=1),
    "CANCELLED": State(S.CANCELLED),
    "FAILED": State(S.FAILED),
}
LEADS_TO = {
    A.START: S.RUNNING,
    A.PAUSE: S.PAUSED,
    A.RESUME: S.RUNNING,
    A.CANCEL: S.CANCELLED,
    A.RETRY: S.SCHEDULED,
}
AFTER_RETRY = {S.SCHEDULED, S.RUNNING, S.COMPLETED, S.FAILED}
"""It starts again as soon as it is due, and may be over or have failed again at once."""
CELLS = list(product(STATES, Action))


@dataclass(frozen=True, slots=True)
class Table:
    life: Life
    batches: Mapping[tuple[str, Action], str]
    called: Mapping[str, list[str]]
    """Of each batch."""

    def of(self, *states: str) -> list[str]:
        return [batch_id for (state, _), batch_id in self.batches.items() if state in states]


@pytest.fixture(scope="module")
def table(standing: House) -> Iterator[Table]:
    standing.prepare(concurrency=100)
    life = Life(standing)
    life.switch(agent=DISABLED, active=True)
    standing.behave(**ENDLESS)
    yield filled(life)
    life.close()


def filled(life: Life) -> Table:
    """A batch for each cell, brought into its status by what people do and what happens."""
    called: dict[str, list[str]] = {}

    def create(state: str, action: Action) -> str:
        rows = people(2, "0002") if STATES[state].failures else people(2)
        when: Json = {"start": False}
        if state in ("SCHEDULED", "CANCELLED"):
            when = {"scheduled_at": later(A_DAY)}
        elif STATES[state].live:
            when = {}
        agent = DISABLED if state == "FAILED" else AGENT
        batch_id = life.create(rows, name=f"{state}, {action}", agent_id=agent, **when)
        called[batch_id] = rows
        return batch_id

    made = at_once([partial(create, *cell) for cell in CELLS])
    table = Table(life, dict(zip(CELLS, made, strict=True)), called)
    for batch_id in table.of("RUNNING", "PAUSED"):
        life.until_live(called[batch_id], 2)
    life.house.behave(**BRIEF)
    ask(table, "pause", "PAUSED")
    ask(table, "cancel", "CANCELLED")
    completed = ("COMPLETED without failures", "COMPLETED with failures")
    ask(table, "start", *completed)
    for batch_id in table.of(*completed):
        life.until(batch_id, status="COMPLETED")
    life.switch(agent=DISABLED, active=False)
    ask(table, "start", "FAILED")
    for batch_id in table.of("FAILED"):
        assert life.until(batch_id, status="FAILED")["reason_code"] == "agent_inactive"
    life.house.behave(**ENDLESS)
    return table


def ask(table: Table, action: str, *states: str) -> None:
    at_once([partial(table.life.done, batch_id, action) for batch_id in table.of(*states)])


@pytest.mark.parametrize(("state", "action"), CELLS)
def test_an_action_is_done_where_the_table_allows_it_and_refused_where_not(
    table: Table, state: str, action: Action
) -> None:
    at, batch_id = STATES[state], table.batches[state, action]
    before = shown(table.life, batch_id)
    assert (before["status"], tuple(before["allowed_actions"])) == (
        at.status,
        allowed_actions(at.status, failures=at.failures),
    )
    answer = table.life.ask(batch_id, action)
    if not allows(at.status, action, failures=at.failures):
        is_refused(table.life, at, before, answer)
    elif action is A.RENAME:
        assert answer.code == 200
        after = shown(table.life, batch_id, answer)
        assert after == before | {"name": "Renamed"}
    elif action is A.DELETE:
        is_deleted(table, at, batch_id, answer)
    else:
        is_done(table.life, action, batch_id, answer)


def shown(life: Life, batch_id: str, since: Answer | None = None) -> Json:
    return {k: v for k, v in life.show(batch_id, since).items() if k not in MOVING}


def is_refused(life: Life, at: State, before: Json, answer: Answer) -> None:
    assert answer.verdict == (409, "action_not_allowed")
    assert answer.body["batch_status"] == at.status
    assert answer.body["allowed_actions"] == before["allowed_actions"]
    assert shown(life, before["batch_id"], answer) == before


def is_done(life: Life, action: Action, batch_id: str, answer: Answer) -> None:
    led_to = LEADS_TO[action]
    assert (answer.code, answer.body["confirmed"]) == (200, True)
    assert answer.body["status"] == led_to
    assert answer.body["allowed_actions"] == list(allowed_actions(led_to, failures=0))
    status = life.show(batch_id, since=answer)["status"]
    assert status in (AFTER_RETRY if action is A.RETRY else {led_to})


def is_deleted(table: Table, at: State, batch_id: str, answer: Answer) -> None:
    life = table.life
    assert answer.code == (202 if at.live else 204), "202 while calls are live"
    assert life.is_gone(batch_id, answer)
    if at.live:
        assert life.ask(batch_id, "delete").code == 202, "and the same said again"
        life.hang_up(table.called[batch_id])
        until(lambda: life.ask(batch_id, "delete").code == 204, "the last call over", SOON)
    assert life.ask(batch_id, "delete").code == 204
    assert life.ask(batch_id, "rename").verdict == (404, "batch_not_found")
