"""What a call does can be foretold."""

from collections import Counter
from typing import Literal

import pytest
from pydantic import ValidationError

from simulator.behaviour import OUTCOMES, Behaviour, Faults, Outcome, Reception, reception, script

MAGIC: list[tuple[str, Outcome, int, str | None, Literal["rings", "is silent"]]] = [
    ("0001", "answered", 200, "human", "rings"),
    ("0002", "busy", 486, None, "is silent"),
    ("0003", "no_answer", 480, None, "rings"),
    ("0004", "voicemail", 200, "machine", "rings"),
    ("0005", "declined", 603, None, "rings"),
    ("0006", "invalid", 404, None, "is silent"),
]


@pytest.mark.parametrize(("ending", "outcome", "code", "answered_by", "ring"), MAGIC)
def test_a_magic_number_does_what_it_says_whatever_the_weights(
    ending: str,
    outcome: Outcome,
    code: int,
    answered_by: str | None,
    ring: Literal["rings", "is silent"],
) -> None:
    weights: dict[Outcome, float] = {name: 0.0 if name == outcome else 1.0 for name in OUTCOMES}
    for behaviour in (Behaviour(), Behaviour(outcomes=weights)):
        plan = script(behaviour, "any call", "+1202555" + ending)
        assert (plan.outcome, plan.sip_code, plan.answered_by, plan.rings) == (
            outcome,
            code,
            answered_by,
            ring == "rings",
        )


def test_outcomes_come_as_often_as_their_weights_say() -> None:
    behaviour = Behaviour(outcomes={"answered": 3, "busy": 1, "declined": 0})
    seen = Counter(script(behaviour, str(n), "+12025559999").outcome for n in range(4000))
    assert set(seen) == {"answered", "busy"}
    assert 2850 < seen["answered"] < 3150


def test_a_call_goes_the_same_way_in_any_order_of_arrival() -> None:
    behaviour = Behaviour(seed=7, faults=Faults(error_5xx=0.3, slow=0.3))

    def fates(ids: list[str]) -> dict[str, object]:
        return {
            call: (reception(behaviour, call), script(behaviour, call, "+3225559999"))
            for call in ids
        }

    ids = [f"call-{n}" for n in range(200)]
    assert fates(ids) == fates(ids[::-1])


def test_another_seed_is_another_story() -> None:
    def story(seed: int) -> list[Outcome]:
        behaviour = Behaviour(seed=seed)
        return [script(behaviour, str(n), "+3225559999").outcome for n in range(50)]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_times_stay_within_their_span() -> None:
    behaviour = Behaviour(ring_seconds=(1, 2), talk_seconds=9)
    plans = [script(behaviour, str(n), "+12025550001") for n in range(500)]
    assert all(1 <= plan.ring_seconds < 2 and plan.talk_seconds == 9 for plan in plans)
    assert min(plan.ring_seconds for plan in plans) < 1.1
    assert max(plan.ring_seconds for plan in plans) > 1.9


def test_a_well_network_takes_every_call() -> None:
    assert {reception(Behaviour(), str(n)) for n in range(1000)} == {"normal"}


@pytest.mark.parametrize(
    ("fault", "met"),
    [
        ("unauthorized", {"unauthorized"}),
        ("error_5xx", {"server_error", "unavailable"}),
        ("lost_request", {"lost_request"}),
        ("lost_response", {"lost_response"}),
        ("slow", {"slow"}),
    ],
)
def test_a_fault_strikes_as_often_as_asked(fault: str, met: set[Reception]) -> None:
    always = Behaviour.model_validate({"faults": {fault: 1}})
    assert {reception(always, str(n)) for n in range(100)} == met
    often = Behaviour.model_validate({"faults": {fault: 0.25}})
    struck = [reception(often, str(n)) in met for n in range(4000)]
    assert 850 < sum(struck) < 1150


@pytest.mark.parametrize(
    "wrong",
    [
        '{"outcomes": {"answered": 0}}',
        '{"outcomes": {"asleep": 1}}',
        '{"outcomes": {"busy": -1, "answered": 2}}',
        '{"ring_seconds": [3, 1]}',
        '{"ring_seconds": -1}',
        '{"talk_seconds": "long"}',
        '{"faults": {"slow": 1.1}}',
        '{"faults": {"earthquake": 1}}',
        '{"calls_per_second": 0}',
        '{"sead": 1}',
    ],
)
def test_a_behaviour_that_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Behaviour.model_validate_json(wrong)
