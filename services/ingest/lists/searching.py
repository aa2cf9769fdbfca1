"""People search as they type: part of a name in any case, part of a number in any notation."""

import re
import unicodedata
from typing import Final

from services.ingest.reading.rows import Given

NOTATION: Final = re.compile(r"[\s()+./-]+")
IN_ASCII: Final = {code: None for code in range(128) if NOTATION.match(chr(code))}
DIGITS: Final = re.compile(r"\d+", re.ASCII)


class Search:
    def __init__(self, text: str) -> None:
        self._name = _folded(text.strip())
        digits = _bare(text)
        self._number = digits if DIGITS.fullmatch(digits) else None

    @classmethod
    def of(cls, text: str | None) -> "Search | None":
        return cls(text) if text and text.strip() else None

    def may_find(self, written: str) -> bool:
        """Whether a row of this JSON text may be found: most blocks need not be taken apart.

        Where it is no that is certain, for without a backslash all texts stand in it as they are.
        """
        if "\\" in written or self._name in _folded(written):
            return True
        return self._number is not None and self._number in _bare(written)

    def finds(self, given: Given) -> bool:
        if self._number and self._number in _bare(given.phone_number):
            return True
        return self._name in _folded(given.name)


def _folded(text: str) -> str:
    """Without case and accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _bare(text: str) -> str:
    """Without what only makes a number easier to read."""
    return text.translate(IN_ASCII) if text.isascii() else NOTATION.sub("", text)
