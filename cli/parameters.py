"""What several commands take alike: what cannot be meant is refused before anything starts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from cli import endpoints

MISUSE = 2
"""The exit code of what was typed wrongly."""
LONGEST_KEY = 255
REGION_LETTERS = 2
LARGEST_PAGE = 500


def _folder(_: type, tokens: Sequence[Token]) -> Path:
    if not tokens[0].value:  # a variable of a script that is not set; "" would mean "here"
        raise ValueError("it is empty; name a folder.")
    return Path(tokens[0].value)


def _check_key(_: type, key: str | None) -> None:
    visible = key is None or (key.isascii() and key.isprintable() and key.strip() == key)
    if not visible or (key is not None and not 1 <= len(key) <= LONGEST_KEY):
        raise ValueError(f"A key is 1 to {LONGEST_KEY} visible ASCII characters.")


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _check_id(_: type, text: str) -> None:
    if not is_id(text):
        raise ValueError(f"An id is a UUID, as `rollcall batch list` tells it; not {text!r}.")


def _check_pairs(_: type, pairs: Sequence[str]) -> None:
    names = [name for name, equals, _ in (pair.rpartition("=") for pair in pairs) if equals]
    if len(names) < len(pairs):
        raise ValueError("Write it as COLUMN=ROLE, such as Mobile=phone_number.")
    if len(set(names)) < len(names):
        raise ValueError("Name each column once.")


def _check_values(_: type, pairs: Sequence[str]) -> None:
    keys = [key for key, equals, _ in (pair.partition("=") for pair in pairs) if equals]
    if len(keys) < len(pairs) or len(set(keys)) < len(keys):
        raise ValueError("Write it as KEY=VALUE, each key once.")


def _check_regions(_: type, regions: Sequence[str]) -> None:
    for region in regions:
        if len(region) != REGION_LETTERS or not (region.isascii() and region.isalpha()):
            raise ValueError(f"A country is two letters of ISO 3166, such as GB; not {region!r}.")


def check_source(file: Path | None, list_id: str | None, mapping: Sequence[str]) -> None:
    """Of people to call.  Raises ValueError."""
    if (file is None) == (list_id is None):
        raise ValueError("Give either FILE.csv or --list LIST_ID.")
    if mapping and file is None:
        raise ValueError("A --mapping is of a file; a list has its columns already.")


def mapping_of(pairs: Sequence[str]) -> dict[str, str] | None:
    """Header and role; None: nothing is said of any column."""
    parted = (pair.rpartition("=") for pair in pairs)
    return {column: role for column, _, role in parted} or None


def values_of(pairs: Sequence[str]) -> dict[str, str]:
    parted = (pair.partition("=") for pair in pairs)
    return {key: value for key, _, value in parted}


Folder = Annotated[
    Path,
    Parameter(name="--data-dir", converter=_folder, help="The folder of `rollcall up`."),
]
DEFAULT_FOLDER = endpoints.DEFAULT_FOLDER
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Answer as JSON.")]
Key = Annotated[
    str | None,
    Parameter(validator=_check_key, help="Asking again with the same key answers the same."),
]
BatchId = Annotated[str, Parameter(validator=_check_id)]
Limit = Annotated[
    int, Parameter(validator=Number(gte=1, lte=LARGEST_PAGE), help="How many at most.")
]
ListId = Annotated[
    str | None,
    Parameter(name="--list", help="A list of `rollcall list upload`, in place of a file."),
]
Mapping = Annotated[
    tuple[str, ...],
    Parameter(
        negative="",
        show_default=False,
        validator=_check_pairs,
        help="What a column is, as COLUMN=ROLE, such as Mobile=phone_number, Tariff=variable:plan,"
        " Call_after=setting:not_before or Notes=ignored; once for each column.",
    ),
]
Values = Annotated[
    tuple[str, ...], Parameter(negative="", show_default=False, validator=_check_values)
]
AllowedRegions = Annotated[
    tuple[str, ...],
    Parameter(
        name="--allowed-region",
        negative="",
        show_default=False,
        validator=_check_regions,
        help="A country the account may call, such as GB; once for each, all unless given.",
    ),
]
Fix = Annotated[
    Path | None,
    Parameter(
        help="A CSV file to write the rows to that are wrong, with what is wrong in a last column:"
        " mended there, it can be uploaded."
    ),
]
Force = Annotated[bool, Parameter(negative="", help="Write over the --fix file if it is there.")]
