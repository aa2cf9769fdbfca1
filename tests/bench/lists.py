"""Lists of any length: every number different and valid, none of the magic ones."""

from collections.abc import Iterator
from itertools import cycle, islice, zip_longest

_AREAS = (202, 212, 303, 305, 312, 404, 415, 503, 512, 602, 615, 617, 702, 713, 718, 801, 816, 901)
_EXCHANGES = [n for n in range(220, 990) if n % 100 != 11 and n not in (555, 950, 976)]
_HEADER = "phone_number,name,plan\n"
_COUNTRIES = {
    "+3361": 7,
    "+4474": 8,
    "+49151": 8,
    "+34612": 6,
    "+39333": 7,
    "+48512": 6,
    "+31612": 6,
    "+46701": 6,
    "+234803": 7,
    "+91981": 7,
    "+61412": 6,
    "+62812": 7,
    "+90532": 7,
    "+551197": 7,
    "+5255": 8,
    "+2782": 7,
}
"""How numbers begin there, and how many digits follow: any of them make a valid number."""


def numbers(count: int, skip: int = 0) -> list[str]:
    return list(islice(_every_number(), skip, skip + count))


def _every_number() -> Iterator[str]:
    for line in range(1000, 10_000):
        for exchange in _EXCHANGES:
            for area in _AREAS:
                yield f"+1{area}{exchange}{line}"


def numbers_of_many_countries(count: int) -> list[str]:
    """Every other one of North America, as such lists go."""
    step = 7_919  # prime, so that the digits that follow a beginning differ as much as they can
    abroad = [
        f"{start}{(n * step) % 10**digits:0{digits}}"
        for n, (start, digits) in zip(range(count // 2), cycle(_COUNTRIES.items()), strict=False)
    ]
    home = numbers(count - len(abroad))
    return [number for pair in zip_longest(home, abroad) for number in pair if number]


def csv_of(rows: list[str], at_most: int | None = None) -> bytes:
    """With `at_most`, the last column is filled up until the file has about that many bytes."""
    lines = [f"{number},Person {n},Plan {n % 3}" for n, number in enumerate(rows, 1)]
    if at_most is not None:
        bare = len(_HEADER) + sum(len(line) + 1 for line in lines)
        padding = "x" * max(0, (at_most - bare) // len(lines))
        lines = [line + padding for line in lines]
    return (_HEADER + "\n".join(lines) + "\n").encode()
