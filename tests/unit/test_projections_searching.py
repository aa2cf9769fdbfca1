"""Whoever types a name as it looks finds it, in any script; wildcards are only themselves."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.domain.searching import LONGEST, Search, folded, grams

TEXTS = st.text(max_size=12)


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Crème Brûlée", "creme brulee"),
        ("Cafe\N{COMBINING ACUTE ACCENT}", "CAFÉ"),
        ("Straße", "STRASSE"),
        ("Łódź Øresund", "lodz oresund"),
        ("\N{GREEK CAPITAL LETTER SIGMA}ΟΦΟ\N{GREEK CAPITAL LETTER SIGMA}", "σοφος"),
        ("D\N{LATIN SMALL LETTER DOTLESS I}yar", "DIYAR"),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}zmir", "izmir"),
        ("\N{FULLWIDTH DIGIT TWO}\N{FULLWIDTH LATIN CAPITAL LETTER A}", "2a"),
        ("\N{ARABIC-INDIC DIGIT TWO}\N{DEVANAGARI DIGIT FIVE}", "25"),
        ("\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f", "\u0645\u062d\u0645\u062f"),
        ("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("\u0622\u0645\u0640\u0640\u0627\u0644", "\u0627\u0645\u0627\u0644"),
        ("東京 ﾄｳｷｮｳ", "東京 トウキョウ"),
        ("❤\N{VARIATION SELECTOR-16} 👩\N{ZERO WIDTH JOINER}🚀", "❤ 👩🚀"),
        ("a\N{NO-BREAK SPACE}\tb\N{RIGHT-TO-LEFT MARK}", "a b"),
    ],
)
def test_what_looks_alike_is_alike(written: str, typed: str) -> None:
    assert folded(written) == folded(typed)
    assert folded(written) != ""


@given(TEXTS)
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)


@given(TEXTS, TEXTS, TEXTS)
def test_an_index_of_grams_never_hides_what_holds_the_words(
    before: str, typed: str, after: str
) -> None:
    search = Search.of(typed)
    if search is None:
        assert folded(typed) == ""
        return
    key = folded(before) + " ".join(search.words) + folded(after)
    assert set(search.grams) <= grams(key)


@given(TEXTS)
def test_no_gram_is_longer_than_the_index_knows_and_none_holds_a_space(text: str) -> None:
    assert all(0 < len(gram) <= LONGEST and " " not in gram for gram in grams(folded(text)))


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("0001", {"0001"}),
        ("00", {"00"}),
        ("00012345", {"00012345"}),
        ("0 1234", {"01234"}),
        ("0 12345", {"012345", "12345"}),
        ("030 1234", {"0301234", "301234"}),
        ("+49 (0)30 12-34", {"490301234", "49301234"}),
        ("+49 (0)30", {"49030"}),
        ("(0)30 123", {"030123", "30123"}),
        ("(030) 123", {"030123", "30123"}),
        ("0049 30 12", {"00493012", "493012"}),
        ("00 49 (0)30 123", {"0049030123", "4930123"}),
    ],
)
def test_digits_are_found_as_typed_and_a_whole_number_as_dialled_at_home_too(
    typed: str, numbers: set[str]
) -> None:
    search = Search.of(typed)
    assert search is not None
    assert {pattern.strip("%") for pattern in search.numbers} == numbers


def test_words_are_each_looked_for_once_and_wildcards_as_themselves() -> None:
    search = Search.of(" 100%  a_b 100% \\ ")
    assert search is not None
    assert search.words == ("100%", "a_b", "\\")
    assert search.patterns == [r"%100\%%", r"%a\_b%", "%\\\\%"]
    assert Search.of(" \N{ZERO WIDTH JOINER} ") is Search.of(None) is None
