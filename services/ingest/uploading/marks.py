"""Equal phone numbers have equal marks, with and without the plus; a mark tells nothing else."""

from array import array
from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CELL: Final = 16
"""Bytes a cipher takes at once; an E.164 number has 15 digits at most."""
NOBODY: Final = 0
"""The mark of a row that is not called."""


class Marks:
    """Under one key: of different batches and lists nothing can be compared."""

    def __init__(self, key: bytes) -> None:
        # one cell each: a permutation under the key, which is all that is wanted here
        cipher = algorithms.AES(sha256(b"marks" + key).digest())
        self._permutation = Cipher(cipher, modes.ECB())  # noqa: S305

    def of(self, numbers: Sequence[str]) -> "array[int]":
        """64 bits for each; a million different numbers hardly ever share one (1 in 30 million)."""
        cells = "".join(
            [
                number[1:].ljust(CELL)
                if number[:1] == "+" and len(number) <= CELL
                else _cell(number)
                for number in numbers
            ]
        )
        marks = array("q", self._permutation.encryptor().update(cells.encode()))
        return marks[::2]

    def at_places(self, numbers: Sequence[str]) -> "array[int]":
        """The same, with NOBODY's where the number is empty."""
        marks = self.of(numbers)
        for place, number in enumerate(numbers):
            if not number:
                marks[place] = NOBODY
        return marks


def written(numbers: "array[int] | list[int]") -> str:
    """As PostgreSQL reads an array: it is far quicker at that than we are at sending one."""
    return f"{{{str(list(numbers))[1:-1]}}}"


def _cell(number: str) -> str:
    digits = number.removeprefix("+")
    if len(digits) > CELL:
        return blake2b(digits.encode(), digest_size=CELL // 2).hexdigest()
    return digits.ljust(CELL)
