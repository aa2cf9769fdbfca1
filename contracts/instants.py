"""Every instant of the log can be stored and reckoned with: one that cannot is no event.

Near either end of the calendar an instant has no UTC form, or overflows as soon as hours are added
to it: a year is kept free at both.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime
from pydantic_core import PydanticCustomError

FIRST: Final = datetime(2, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9998, 12, 31, tzinfo=UTC)


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC.  Raises a ValueError beyond the years 2 to 9998."""
    if not FIRST <= instant <= LAST:
        message = "Name an instant of the years 2 to 9998."
        raise PydanticCustomError("field_invalid", message)
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
