"""Lists of any length: every number different and valid, none of the magic ones."""

from collections.abc import Iterator
from itertools import islice

_AREAS = (202, 212, 303, 305, 312, 404, 415, 503, 512, 602, 615, 617, 702, 713, 718, 801, 816, 901)
_EXCHANGES = [n for n in range(220, 990) if n % 100 != 11 and n not in (555, 950, 976)]
_HEADER = "phone_number,name,plan\n"


def numbers(count: int, skip: int = 0) -> list[str]:
    return list(islice(_every_number(), skip, skip + count))


def _every_number() -> Iterator[str]:
    for line in range(1000, 10_000):
        for exchange in _EXCHANGES:
            for area in _AREAS:
                yield f"+1{area}{exchange}{line}"


def csv_of(rows: list[str], at_most: int | None = None) -> bytes:
    """With `at_most`, the last column is filled up until the file has about that many bytes."""
    lines = [f"{number},Person {n},Plan {n % 3}" for n, number in enumerate(rows, 1)]
    if at_most is not None:
        bare = len(_HEADER) + sum(len(line) + 1 for line in lines)
        padding = "x" * max(0, (at_most - bare) // len(lines))
        lines = [line + padding for line in lines]
    return (_HEADER + "\n".join(lines) + "\n").encode()
