"""Who searches finds whatever looks alike: case, accents and width never hide a name.

Names are folded when they are read from the log, words when they are searched for; both the same.
"""

import re
import unicodedata
from dataclasses import dataclass

_STROKED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "æ": "ae",
     "œ": "oe", "\N{ARABIC TATWEEL}": None}
)  # fmt: skip
"""What people type without its stroke, though to Unicode it is a letter of its own."""
_SELECTORS = range(0xFE00, 0xFE10)
_WILD = re.compile(r"([\\%_])")
LONGEST = 3


def folded(text: str) -> str:
    """Without case, accents and what nobody sees; every script's digits are 0 to 9."""
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(_digit(char) for char in apart if not _is_unseen(char))
    return " ".join(plain.translate(_STROKED).split())


def _is_unseen(char: str) -> bool:
    """Accents, vowel points, directions, joiners, and how an emoji is to be drawn."""
    if unicodedata.combining(char) or ord(char) in _SELECTORS:
        return True
    return unicodedata.category(char) == "Cf"


def _digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def grams(key: str) -> set[str]:
    """Every stretch of up to three characters of its words: what an index finds the key by."""
    return {
        word[start : start + length]
        for word in key.split()
        for length in range(1, LONGEST + 1)
        for start in range(len(word) - length + 1)
    }


def _needed(word: str) -> set[str]:
    """The grams that a key with this word in it must have."""
    if len(word) <= LONGEST:
        return {word}
    return {word[start : start + LONGEST] for start in range(len(word) - LONGEST + 1)}


def _anywhere(text: str) -> str:
    """As a pattern for LIKE: what is a wildcard there is only itself here."""
    return "%" + _WILD.sub(r"\\\1", text) + "%"


@dataclass(frozen=True, slots=True)
class Search:
    """Words as one types them: all of them are looked for, each anywhere and in any order."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str | None) -> "Search | None":
        """None: there is nothing to look for."""
        words = folded(text or "").split()
        return cls(tuple(dict.fromkeys(words))) if words else None

    @property
    def grams(self) -> list[str]:
        return sorted({gram for word in self.words for gram in _needed(word)})

    @property
    def patterns(self) -> list[str]:
        return [_anywhere(word) for word in self.words]
