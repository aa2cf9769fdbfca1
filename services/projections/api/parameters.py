"""Strict parameters: what is not understood is refused with a stable code, never ignored."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, get_args

from fastapi import Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from chassis.problems import FieldProblem, Problem
from contracts.instants import Instant
from contracts.outcomes import Outcome, RecipientStatus
from contracts.statuses import BatchStatus
from contracts.topics import DIRECTORY, TOPICS

E = TypeVar("E", bound=StrEnum)

Sort = Literal[
    "row", "name", "phone_number", "status", "outcome", "attempts",
    "-row", "-name", "-phone_number", "-status", "-outcome", "-attempts",
]  # fmt: skip
SORTS = get_args(Sort)
TOLD_OF_BATCHES = tuple(
    kind.__name__ for topic in TOPICS if topic is not DIRECTORY for kind in topic.events
)


def _filter_invalid(field: str, known: tuple[str, ...]) -> Problem:
    message = f"Give one of {', '.join(known)}."
    error = FieldProblem(field=field, code="filter_invalid", message=message)
    return Problem(422, "filter_invalid", f"Unknown {field}.", message, errors=[error])


def _one_of(field: str, kind: type[E]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if value not in {None, *kind}:
            raise _filter_invalid(field, tuple(kind))
        return value

    return parse


def _known_sort(value: Any) -> Any:
    if value not in SORTS:
        raise _filter_invalid("sort", SORTS)
    return value


def _known_type(value: str | None) -> str | None:
    if value not in {None, *TOLD_OF_BATCHES}:
        raise _filter_invalid("type", TOLD_OF_BATCHES)
    return value


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Paging(Nothing):
    limit: int = Field(default=50, ge=1, le=500)
    """How many at most."""
    cursor: str | None = None
    """The `next_cursor` of the page before; none: from the start."""


class BatchFilter(Paging):
    status: Annotated[BatchStatus | None, BeforeValidator(_one_of("status", BatchStatus))] = None
    """Only those that are shown with this status."""
    search: str | None = Field(default=None, max_length=100, pattern=r"^[^\x00]*$")
    """Words: each is somewhere in the name, in any case, with or without accents."""


SeenStatus = Annotated[
    RecipientStatus | None,
    BeforeValidator(_one_of("status", RecipientStatus)),
    Field(description="Only those that are shown with this status."),
]
SeenOutcome = Annotated[
    Outcome | None,
    BeforeValidator(_one_of("outcome", Outcome)),
    Field(description="Only those whose last call ended so."),
]


class RecipientFilter(Paging):
    status: SeenStatus = None
    outcome: SeenOutcome = None
    search: str | None = Field(default=None, max_length=100, pattern=r"^[^\x00]*$")
    """The same of their names; words that read as a number may be a part of theirs instead."""
    sort: Annotated[Sort, BeforeValidator(_known_sort)] = "row"
    """By what; turned round by a leading `-`."""

    @property
    def by(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def backwards(self) -> bool:
        return self.sort.startswith("-")


class AsOf(Nothing):
    as_of: Instant | None = None
    """How it stood then; an instant to come is the present."""


class TimelineFilter(Paging):
    type: Annotated[str | None, AfterValidator(_known_type)] = None
    """Only events of this name."""


NoParameters = Annotated[Nothing, Query()]
PageParameters = Annotated[Paging, Query()]
BatchParameters = Annotated[BatchFilter, Query()]
RecipientParameters = Annotated[RecipientFilter, Query()]
AsOfParameters = Annotated[AsOf, Query()]
TimelineParameters = Annotated[TimelineFilter, Query()]
