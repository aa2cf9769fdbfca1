"""One phone, one call: two rows of a batch with one number are never in a call at the same time."""

from typing import Final

from audit.findings import Findings, check
from audit.marks import Mark
from audit.person import Person, assembled
from audit.scene import Scene

ONE_NUMBER: Final = check("one-number", "Two rows with one number are never in a call at once.")

Span = tuple[int, int | None, Mark]
"""From the intent to the word that it is over."""


def judge(person: Person, scene: Scene) -> None:
    """Of a number's rows each names the nearest earlier one: they are met pair by pair."""
    twin_no = scene.book.twins.get(person.recipient_id.int)
    packed = None if twin_no is None else scene.book.people.get(twin_no)
    if twin_no is None or packed is None:
        return
    twin = assembled(twin_no, packed, Findings())  # what is wrong with it is said at its own turn
    scene.findings.looked(ONE_NUMBER)
    for since, until, placing in _spans(person):
        for twin_since, twin_until, twin_placing in _spans(twin):
            apart = (until is not None and until <= twin_since + scene.apart) or (
                twin_until is not None and twin_until <= since + scene.apart
            )
            if apart:
                continue
            told = *twin.told(twin_placing), *person.told(placing)
            if scene.owes_its_like(max(since, twin_since)):
                scene.findings.breach(ONE_NUMBER, "one number in two calls at once", *told)
            else:
                scene.findings.open(ONE_NUMBER, "its end is beyond the end that was read")


def _spans(person: Person) -> list[Span]:
    return [
        (call.placing.at, None if call.over is None else call.over.at, call.placing)
        for call in person.calls.values()
        if call.placing is not None
    ]
