"""Whom nobody may have called by us, whatever a row says: what is refused here is never dialled.

A row that ignores E.164 is dialled as it is written, so it is judged in every way in which its
digits can be read as an international number.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import Final

import phonenumbers
from phonenumbers import SUPPORTED_SHORT_REGIONS, PhoneMetadata, PhoneNumberType

from services.ingest.reading.phone import Phone, Problem, country_name, identify
from services.ingest.reading.policy import Policy
from services.ingest.reading.recogniser import HEAD, REGIONS, Kind, calling_code

ABROAD: Final = ("", "00", "011", "0011")
"""What stands for the plus: nothing, or what is dialled for it in most countries, in North
America and in Australia."""

SATELLITE: Final = (
    *("+870", "+871", "+872", "+873", "+874"),  # Inmarsat, and its four oceans of old
    "+881",  # global mobile satellite systems: Iridium, Globalstar
    "+88213",  # EMS Regional Mobile Satellite System
    "+88216",  # Thuraya
    "+88220",  # Garuda Mobile Telecommunication Satellite System
)
"""ITU-T, List of Recommendation E.164 assigned country codes, with the identification codes of
the networks behind +882 and +883 that are named there as satellite networks."""

COSTLY: Final = {
    PhoneNumberType.PREMIUM_RATE: "Premium-rate numbers",
    PhoneNumberType.SHARED_COST: "Shared-cost numbers",
}
SERVICES: Final = {"+979": "Premium-rate numbers", "+808": "Shared-cost numbers"}
"""The international ones, of the same list: refused whatever follows the code."""
TELLING: Final = len("+1900555")
"""Characters by which a numbering plan tells the numbers that cost more from others."""
LOCAL: Final = 10
"""Digits of a whole national number in most countries; fewer are often an exchange's own."""
LENGTHS: Final = range(8, 16)
FILLINGS: Final = "1258"
"""Some digits to make a whole number of a beginning."""

OF_NO_COUNTRY: Final = "001"

Regions = frozenset[str] | None
SUPPRESSED: Final = Problem(
    "suppressed",
    "This number is on the account's suppression list: remove the row; or lift the suppression, and"
    " save or send the row again.",
)


def refusals(phone: Phone, policy: Policy) -> tuple[Problem, ...]:
    """Every reason why the number may not be called; for most there is none."""
    number, kind, _ = phone
    if kind is None or kind.region == OF_NO_COUNTRY:
        readings = (number,) if kind else (*_readings(number), *_at_home(number, policy))
        likely = [it for it in readings if not _is_local(number) or identify(it)]
        wrong = (*_blocked(likely), *_elsewhere(likely, policy.allowed_regions))
    else:
        readings = (number,)
        wrong = _of_kind(kind, policy.allowed_regions)
    if policy.suppressed and any(it in policy.suppressed for it in _spellings(number, readings)):
        return (*wrong, SUPPRESSED)
    return wrong


def emergency(written: str) -> Problem | None:
    """Of digits that are too few for a number: whether they call for help somewhere."""
    if any(map(_is_emergency, _readings(written.strip()))):
        return _never("Emergency numbers")
    return None


@lru_cache(maxsize=4_096)
def _of_kind(kind: Kind, allowed: Regions) -> tuple[Problem, ...]:
    costly = (_never(COSTLY[kind.type]),) if kind.type in COSTLY else ()
    if allowed is None or kind.region in allowed:
        return costly
    return (*costly, _not_allowed(kind.region))


def _readings(number: str) -> tuple[str, ...]:
    """As they are, and without what may be dialled before them, were it dialled twice."""
    written = number.removeprefix("+")
    found = {written: None, written.lstrip("0") if number.startswith("+0") else written: None}
    for _ in ABROAD:
        found |= {d.removeprefix(it): None for d in found for it in ABROAD if d.startswith(it)}
    return tuple("+" + digits for digits in found if digits)


def _at_home(number: str, policy: Policy) -> tuple[str, ...]:
    """Digits with one leading zero, as they are dialled where the account's own numbers are."""
    if not number.startswith("0") or number.startswith("00"):
        return ()
    heads = {calling_code(it) for it in policy.caller_ids or ()}
    return tuple(f"+{code}{number[1:]}" for code in sorted(filter(None, heads)))


def _spellings(number: str, readings: Iterable[str]) -> Iterator[str]:
    """Under which the number may stand on a list: as it is dialled, and as it is in E.164."""
    yield number
    for reading in readings:
        known = identify(reading)
        yield known[0] if known else reading


def _is_local(number: str) -> bool:
    """Few digits that begin like none from abroad: a valid international number by chance only."""
    return number[0] not in "+0" and len(number) < LOCAL


def _blocked(readings: Iterable[str]) -> list[Problem]:
    found = (reason for it in readings for reason in _reasons(it))
    return [_never(reason) for reason in islice(found, 1)]


def _reasons(reading: str) -> Iterator[str]:
    if reading.startswith(SATELLITE):
        yield "Satellite numbers"
    for code, what in SERVICES.items():
        if reading.startswith(code):
            yield what
    if known := identify(reading):
        if known[1].type in COSTLY:
            yield COSTLY[known[1].type]
        return
    if _is_emergency(reading):
        yield "Emergency numbers"
    if _is_short(reading):
        yield "Short numbers"
    if costly := _range(reading[:TELLING]):
        yield costly


@lru_cache(maxsize=16_384)
def _range(start: str) -> str | None:
    """What all numbers are that begin so: an exchange may well connect what is not a valid one."""
    for end in range(len(start), len("+123"), -1):
        tried = (start[:end].ljust(length, it) for length in LENGTHS for it in FILLINGS)
        if types := {known[1].type for it in tried if (known := identify(it))}:
            return COSTLY[min(types)] if types <= COSTLY.keys() else None
    return None


def _elsewhere(readings: Iterable[str], allowed: Regions) -> list[Problem]:
    if allowed is None:
        return []
    told = [regions for it in readings if (regions := _regions(it))]
    for regions in told:
        if allowed.isdisjoint(regions):
            return [_not_allowed(regions[0])]
    if told and all(allowed.issuperset(regions) for regions in told):
        return []
    message = (
        "These digits do not tell their country, and this account may call some countries only:"
        " write the number in full, with + and its country code."
    )
    return [Problem("region_not_allowed", message)]


def _regions(reading: str) -> tuple[str, ...]:
    """Where a number may be: in its country, or in all of a calling code if it is not valid."""
    if known := identify(reading):
        return (known[1].region,)
    code = calling_code(reading) if HEAD.match(reading) else None
    return REGIONS[code] if code else ()


def _is_emergency(reading: str) -> bool:
    """Written as it is dialled anywhere, or behind the calling code of its country."""
    everywhere, by_region = _emergencies()
    if everywhere.fullmatch(reading, 1):
        return True
    code = calling_code(reading) if HEAD.match(reading) else None
    after = len(f"+{code}")
    return any(
        by_region[region].fullmatch(reading, after)
        for region in (REGIONS[code] if code else ())
        if region in by_region
    )


def _is_short(reading: str) -> bool:
    """Short numbers that ring; those that only take text messages cannot be called at all."""
    try:
        parsed = phonenumbers.parse(reading)
    except phonenumbers.NumberParseException:
        return False
    return any(
        phonenumbers.is_valid_short_number_for_region(parsed, region)
        and not phonenumbers.is_sms_service_for_region(parsed, region)
        for region in REGIONS[parsed.country_code or 0]
    )


@cache
def _emergencies() -> tuple[re.Pattern[str], dict[str, re.Pattern[str]]]:
    plans = ((it, PhoneMetadata.short_metadata_for_region(it)) for it in SUPPORTED_SHORT_REGIONS)
    patterns = {
        region: plan.emergency.national_number_pattern
        for region, plan in plans
        if plan and plan.emergency and plan.emergency.national_number_pattern
    }
    everywhere = "|".join(sorted(set(patterns.values())))
    return (
        re.compile(everywhere, re.ASCII),
        {region: re.compile(pattern, re.ASCII) for region, pattern in patterns.items()},
    )


def _never(what: str) -> Problem:
    message = f"{what} are never called, whatever the row says: give another number, or remove it."
    return Problem("destination_blocked", message)


def _not_allowed(region: str) -> Problem:
    message = (
        f"This is a number of {country_name(region)} ({region}), which this account may not call:"
        " give another number; or add it to the account's allowed_regions, and save or send the row"
        " again."
    )
    return Problem("region_not_allowed", message)
