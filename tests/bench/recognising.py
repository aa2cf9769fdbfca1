"""How much sooner a number is recognised than parsed and validated, on a list of many countries."""

import time
from collections.abc import Callable, Sequence

import phonenumbers

from services.ingest.reading.recogniser import Kind, recognise
from tests.bench.figure import Figure, Goal
from tests.bench.lists import numbers_of_many_countries
from tests.bench.sizes import Size
from tests.house import House

AT_MOST = 100_000
ROUNDS = 3


def measure(_: House, size: Size) -> list[Figure]:
    numbers = numbers_of_many_countries(min(AT_MOST, size.uploaded_rows))
    ours, theirs = [], []
    for _round in range(ROUNDS):  # in turns, for both have the same machine then
        ours.append(_seconds(_recognised, numbers))
        theirs.append(_seconds(_validated, numbers))
    return [
        Figure(
            "numbers recognised",
            len(numbers) / min(ours),
            "numbers/s",
            len(numbers) / min(theirs),
            "phonenumbers: parse and is_valid_number",
            Goal(at_least=10, of_ratio=True),
        )
    ]


def _seconds(count: Callable[[Sequence[str]], int], numbers: Sequence[str]) -> float:
    began = time.process_time()
    valid = count(numbers)
    seconds = time.process_time() - began
    if valid != len(numbers):
        raise AssertionError(f"{len(numbers) - valid} of the valid numbers were not found valid")
    return seconds


def _recognised(numbers: Sequence[str]) -> int:
    return sum([isinstance(recognise(number), Kind) for number in numbers])


def _validated(numbers: Sequence[str]) -> int:
    return sum([phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers])
