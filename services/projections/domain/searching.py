"""Who searches finds whatever looks alike: case, accents and width never hide a name.

Names are folded when they are read from the log, words when they are searched for; both the same.
"""

import re
import unicodedata
from dataclasses import dataclass

_STROKED = {
    "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "æ": "ae",
    "œ": "oe", "\N{ARABIC TATWEEL}": "",
}  # fmt: skip
"""What people type without its stroke, though to Unicode it is a letter of its own."""
_SELECTORS = range(0xFE00, 0xFE10)
_NOTATION = re.compile(r"[\s()+./\N{HYPHEN}-\N{HORIZONTAL BAR}\N{MINUS SIGN}-]+")
_TRUNK = "(0)"
_NUMERIC = re.compile(rf"(?:{_NOTATION.pattern}|[0-9])+")
_EXIT = re.compile(r"\A00?(?=[1-9])")
"""What is dialled first: within a country, or to leave it; a country's code begins otherwise."""
_LEAST_BEHIND = 5
"""Fewer digits are a part of a number, and a zero before them is one of it."""
_WILD = re.compile(r"([\\%_])")
LONGEST = 3


class _Plain(dict[int, str]):
    """What is left of a character, by its code; found out when it is met first."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if _is_unseen(char):
            left = ""
        elif char.isdecimal():
            left = str(unicodedata.decimal(char))
        else:
            left = _STROKED.get(char, char)
        self[code] = left
        return left


_PLAIN = _Plain()


def _is_unseen(char: str) -> bool:
    """Accents, vowel points, directions, joiners, and how an emoji is to be drawn."""
    if unicodedata.combining(char) or ord(char) in _SELECTORS:
        return True
    return unicodedata.category(char) == "Cf"


def folded(text: str) -> str:
    """Without case, accents and what nobody sees; every script's digits are 0 to 9."""
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(apart.translate(_PLAIN).split())


def grams(key: str) -> set[str]:
    """Every stretch of up to three characters of its words: what an index finds the key by."""
    return {
        word[start : start + length]
        for word in key.split()
        for length in range(1, LONGEST + 1)
        for start in range(len(word) - length + 1)
    }


def _needed(word: str) -> str:
    """The gram in its middle, which a key with this word in it must have.

    Not all of them: they come together, and who plans the search takes each for another reason
    to think the word rare.
    """
    start = max(0, (len(word) - LONGEST) // 2)
    return word[start : start + LONGEST]


def _anywhere(text: str) -> str:
    """As a pattern for LIKE: what is a wildcard there is only itself here."""
    return "%" + _WILD.sub(r"\\\1", text) + "%"


@dataclass(frozen=True, slots=True)
class Search:
    """Words as one types them: all of them are looked for, each anywhere and in any order."""

    typed: tuple[str, ...]

    @classmethod
    def of(cls, text: str | None) -> "Search | None":
        """None: there is nothing to look for."""
        typed = folded(text or "").split()
        return cls(tuple(typed)) if typed else None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.typed))

    @property
    def grams(self) -> list[str]:
        return sorted({_needed(word) for word in self.words})

    @property
    def patterns(self) -> list[str]:
        return [_anywhere(word) for word in self.words]

    @property
    def beside_number(self) -> list[str]:
        """The patterns of the words that are no part of a number."""
        return [_anywhere(word) for word in self.words if not _NUMERIC.fullmatch(word)]

    @property
    def numbers(self) -> list[str]:
        """The number that the other words are, as patterns; empty: there is none.

        The digits as they are typed; a whole number as it is dialled at home, too, whose zero is
        not there for others.
        """
        typed = "".join(word for word in self.typed if _NUMERIC.fullmatch(word))
        ways = {_digits(typed), _digits(_from_abroad(typed))}
        return [_anywhere(way) for way in sorted(ways - {""})]


def _digits(typed: str) -> str:
    return _NOTATION.sub("", typed)


def _from_abroad(typed: str) -> str:
    """The same number without the zeros that only a caller at home dials."""
    before, home, behind = typed.partition(_TRUNK)
    if home and len(_digits(behind)) >= _LEAST_BEHIND:
        typed = before + behind
    digits = _digits(typed)
    bare = _EXIT.sub("", digits)
    return bare if len(bare) >= _LEAST_BEHIND else digits
