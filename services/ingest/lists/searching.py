"""People search as they type: part of a name in any case, part of a number in any notation."""

import re
import unicodedata
from typing import Final

from services.ingest.reading.rows import Given

NOTATION: Final = re.compile(r"[\s()+./-]+")
DIGITS: Final = re.compile(r"\d+", re.ASCII)


class Search:
    def __init__(self, text: str) -> None:
        self._name = _folded(text.strip())
        digits = NOTATION.sub("", text)
        self._number = digits if DIGITS.fullmatch(digits) else None

    @classmethod
    def of(cls, text: str | None) -> "Search | None":
        return cls(text) if text and text.strip() else None

    def finds(self, given: Given) -> bool:
        if self._number and self._number in NOTATION.sub("", given.phone_number):
            return True
        return self._name in _folded(given.name)


def _folded(text: str) -> str:
    """Without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
