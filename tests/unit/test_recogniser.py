"""The recogniser never says of a number what the library would not say."""

import random
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import cache

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberFormat, PhoneNumberType

from services.ingest.reading import recogniser
from services.ingest.reading.recogniser import Kind, Unsure, recognise

TYPES = [it for it in vars(PhoneNumberType).values() if isinstance(it, int)]
MUTATIONS = 100_000
MANY_MUTATIONS = 1_000_000


def said_by_the_library(number: str) -> Kind | str | None:
    """The number in E.164 where it is not written so; None where it is not valid."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    written = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(parsed):
        return None
    if written != number:
        return written
    region = phonenumbers.region_code_for_number(parsed)
    return Kind(region or "", phonenumbers.number_type(parsed))


@pytest.fixture(scope="module", autouse=True)
def library_at_its_best() -> None:
    """It keeps its compiled patterns: otherwise it compiles most of them for each number again."""
    phonenumbers.enable_pattern_cache()


@cache
def examples() -> list[str]:
    """Of every region and type, of every service of no country, and invalid ones."""
    numbers = [
        *(
            phonenumbers.example_number_for_type(region, kind)
            for region in phonenumbers.SUPPORTED_REGIONS
            for kind in TYPES
        ),
        *map(phonenumbers.invalid_example_number, phonenumbers.SUPPORTED_REGIONS),
        *map(
            phonenumbers.example_number_for_non_geo_entity,
            phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS,
        ),
    ]
    return sorted({phonenumbers.format_number(it, PhoneNumberFormat.E164) for it in numbers if it})


def mutations(count: int, seed: int) -> Iterator[str]:
    """Examples with digits changed, put in and left out, the calling code's too."""
    chance = random.Random(seed)
    for _ in range(count):
        number = [*chance.choice(examples())]
        for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
            place, digit = chance.randrange(1, len(number)), chance.choice("0123456789")
            match chance.choice("ccccid"):
                case "c":
                    number[place] = digit
                case "i":
                    number.insert(place, digit)
                case _ if len(number) > 3:
                    del number[place]
        yield "".join(number)


def disagreements(numbers: Iterable[str]) -> list[str]:
    return [
        f"{number}: {verdict}, the library: {said_by_the_library(number)}"
        for number in numbers
        if not isinstance(verdict := recognise(number), Unsure)
        and verdict != said_by_the_library(number)
    ]


def test_it_agrees_on_the_examples_of_every_region_and_type() -> None:
    assert len(examples()) > 1_000
    assert disagreements(examples()) == []


def test_it_is_sure_of_nearly_all_valid_numbers() -> None:
    unsure = [number for number in examples() if isinstance(recognise(number), Unsure)]
    assert len(unsure) < 0.01 * len(examples())


def test_it_agrees_on_examples_that_were_mutated() -> None:
    assert disagreements(mutations(MUTATIONS, seed=1)) == []


@pytest.mark.chaos
@pytest.mark.timeout(1_800)
def test_it_agrees_on_many_more_of_them() -> None:
    assert disagreements(mutations(MANY_MUTATIONS, seed=random.randrange(2**32))) == []


@given(
    st.builds(
        lambda code, rest: f"+{code}{rest}",
        st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
        st.from_regex(r"[0-9]{0,20}", fullmatch=True),
    )
)
@example("+")
@example("+1")
@example("+12")
@example("+0")
@example("+00441632960000")
@example("+999999999999")
@example("+" + "1" * 300)
def test_it_agrees_on_whatever_follows_a_calling_code(number: str) -> None:
    assert disagreements([number]) == []


@given(st.text() | st.from_regex(r"\s*\+?\d{5,16}\s*", fullmatch=True))
@example("+12025551234\n")
@example(" +12025551234")
@example("+1202555123\u0664")
@example("\uff0b12025551234")
@example("12025551234")
def test_only_a_plus_and_ascii_digits_have_a_kind(text: str) -> None:
    if isinstance(recognise(text), Kind):
        assert text.startswith("+")
        assert text.isascii()
        assert text[1:].isdigit()


def test_texts_that_begin_with_no_calling_code_leave_nothing_behind() -> None:
    recognise("+12025551234")
    before = len(recogniser.JUDGES)
    for n in range(1_000):
        recognise(f"x{n}")
        recognise("+1" + "2" * (50 + n))
    assert len(recogniser.JUDGES) == before


# --- where plans overlap, and a recogniser that is wrong is found out ----------------------------


def altered(plan: PhoneMetadata | None, **fields: object) -> PhoneMetadata:
    assert plan
    result = copy(plan)
    vars(result).update(fields)
    return result


def shorter(numbers: PhoneNumberDesc | None) -> PhoneNumberDesc:
    assert numbers
    result = copy(numbers)
    vars(result)["possible_length"] = numbers.possible_length[:1]
    return result


@pytest.fixture
def overlapping(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Today's plans hardly overlap, so that some of the library's rules do not show in them."""
    antigua, france, germany, italy = map(
        PhoneMetadata.metadata_for_region, ("AG", "FR", "DE", "IT")
    )
    assert france
    assert germany
    assert italy
    plans = {
        "AG": altered(antigua, leading_digits="2"),
        "FR": altered(france, premium_rate=france.mobile, voip=france.mobile),
        "DE": altered(germany, fixed_line=shorter(germany.fixed_line)),
        "IT": altered(italy, mobile=italy.fixed_line),
    }
    for region, plan in plans.items():
        monkeypatch.setitem(PhoneMetadata._region_metadata, region, plan)
    monkeypatch.setattr(recogniser, "JUDGES", recogniser._Judges())
    recogniser._judge.cache_clear()
    yield
    recogniser._judge.cache_clear()


def plans_with(**fields: object) -> Callable[[int, str], PhoneMetadata]:
    return lambda code, region: altered(
        PhoneMetadata.metadata_for_region_or_calling_code(code, region), **fields
    )


def of_any_length(numbers: PhoneNumberDesc | None, digits: int) -> str | None:
    return f"(?:{numbers.national_number_pattern})" if numbers else None


MAIN_REGIONS = {code: regions[:1] for code, regions in recogniser.REGIONS.items()}
MUTANTS = {
    "leading digits do not matter": ("_plan", plans_with(leading_digits=None)),
    "national prefixes do not matter": ("_plan", plans_with(national_prefix_for_parsing=None)),
    "no mobile is a fixed line": ("_plan", plans_with(same_mobile_and_fixed_line_pattern=True)),
    "the main region has all numbers": ("REGIONS", MAIN_REGIONS),
    "no number costs more than others": ("TYPES", recogniser.TYPES[1:]),
    "types are tried the other way round": ("TYPES", recogniser.TYPES[::-1]),
    "any length is a possible one": ("_pattern", of_any_length),
}


@pytest.mark.usefixtures("overlapping")
def test_it_agrees_where_plans_overlap() -> None:
    assert disagreements([*examples(), *mutations(5_000, seed=2)]) == []


@pytest.mark.usefixtures("overlapping")
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_found_out(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser, *MUTANTS[mutant])
    assert disagreements([*examples(), *mutations(1_000, seed=2)]) != []
