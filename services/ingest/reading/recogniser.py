"""What the phone number library would say of a number, at a small part of its cost.

It never disagrees with the library: where it cannot be certain, it says so.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import cache
from typing import Final, NamedTuple

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumberDesc,
    PhoneNumberType,
)

REGIONS: Final = COUNTRY_CODE_TO_REGION_CODE
"""The countries of a calling code, the main one first."""
HEAD: Final = re.compile(r"\+[1-9]\d\d", re.ASCII)
LONGEST: Final = 24
"""Of the texts looked at here: no number has as many digits, whatever prefix is left in it."""
CAPTURING: Final = re.compile(r"(?<!\\)\((?!\?)")
TYPES: Final = (
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
)
"""In the library's order, for a number is of the first type that takes it."""


class Kind(NamedTuple):
    region: str
    """ISO 3166; `001`: of no country."""
    type: int
    """The library's PhoneNumberType."""


class Unsure(Enum):
    ASK_THE_LIBRARY = auto()


Verdict = Kind | Unsure | None
FullMatch = Callable[[str], re.Match[str] | None]
Judge = tuple[FullMatch, tuple[Verdict, ...]]
"""The fullmatch of a pattern, and what it means that its last group is this one or that."""


def recognise(number: str) -> Verdict:
    """A kind: the text is a valid number in E.164, as it stands; None: it is certainly not."""
    fullmatch, verdicts = JUDGES[number[:4], len(number)]
    found = fullmatch(number)
    return verdicts[found.lastindex] if found else None  # type: ignore[index]


def calling_code(number: str) -> int | None:
    """Of a text that begins as HEAD says; no calling code begins another."""
    return next((int(number[1:end]) for end in (2, 3, 4) if int(number[1:end]) in REGIONS), None)


class _Judges(dict[tuple[str, int], Judge]):
    """By how a number begins and how long it is; each is made when it is first asked for."""

    def __missing__(self, key: tuple[str, int]) -> Judge:
        head, length = key
        if not HEAD.fullmatch(head):
            return _NOBODY
        if length > LONGEST:
            return _ANYBODY
        code = calling_code(head)
        judge = self[key] = _judge(code, length) if code else _NOBODY
        return judge


JUDGES: Final = _Judges()
_NOBODY: Final[Judge] = (re.compile("(?!)").fullmatch, ())
_ANYBODY: Final[Judge] = (re.compile(r"(.+)").fullmatch, (None, Unsure.ASK_THE_LIBRARY))


@cache
def _judge(code: int, length: int) -> Judge:
    """For all numbers of a calling code that have, with the plus, that length."""
    digits = length - len(f"+{code}")
    verdicts: list[Verdict] = [None]
    alternatives = []
    for pattern, meanings in _alternatives(code, digits):
        alternatives.append(pattern)
        verdicts += meanings
    pattern = rf"\+{code}(?:{'|'.join(alternatives) or '(?!)'})"
    return re.compile(pattern, re.ASCII).fullmatch, tuple(verdicts)


def _alternatives(code: int, digits: int) -> Iterator[tuple[str, list[Verdict]]]:
    """In the library's order, each with what its capturing groups mean."""
    plans = {region: _plan(code, region) for region in REGIONS[code]}
    main = plans[REGIONS[code][0]]
    if main.national_prefix_for_parsing:
        # where one stands the library takes it off, or puts other digits in its place
        prefix = CAPTURING.sub("(?:", main.national_prefix_for_parsing)
        yield rf"(?=(?:{prefix})(?<!\A\+{code}))(\d+)", [Unsure.ASK_THE_LIBRARY]
    for region, plan in plans.items():
        types = list(_types(plan, digits))
        general = _pattern(plan.general_desc, digits) if types else None
        either = "|".join(pattern for pattern, _ in types)
        valid = rf"(?={general}\Z)(?:{either})" if general else "(?!)"
        kinds: list[Verdict] = [Kind(region, kind) for _, kind in types] if general else []
        if plan.leading_digits and len(plans) > 1:
            # such a number is this region's, even where it is not a valid one
            yield rf"(?={plan.leading_digits})(?:{valid}|(\d+))", [*kinds, None]
        elif general:
            yield valid, kinds


def _types(plan: PhoneMetadata, digits: int) -> Iterator[tuple[str, int]]:
    for name, kind in TYPES:
        if pattern := _pattern(getattr(plan, name), digits):
            yield f"({pattern})", kind
    fixed, mobile = _pattern(plan.fixed_line, digits), _pattern(plan.mobile, digits)
    if fixed and plan.same_mobile_and_fixed_line_pattern:
        yield f"({fixed})", PhoneNumberType.FIXED_LINE_OR_MOBILE
        return
    if fixed and mobile:
        yield rf"(?={fixed}\Z)({mobile})", PhoneNumberType.FIXED_LINE_OR_MOBILE
    if fixed:
        yield f"({fixed})", PhoneNumberType.FIXED_LINE
    if mobile:
        yield f"({mobile})", PhoneNumberType.MOBILE


def _pattern(numbers: PhoneNumberDesc | None, digits: int) -> str | None:
    if numbers is None or not numbers.national_number_pattern:
        return None
    if numbers.possible_length and digits not in numbers.possible_length:
        return None
    return f"(?:{numbers.national_number_pattern})"


def _plan(code: int, region: str) -> PhoneMetadata:
    plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if plan is None:
        raise LookupError(f"no numbering plan of {region}")
    return plan
