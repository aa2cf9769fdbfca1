"""What a batch is asked for with is said once: a preview is of the very batch that is created."""

from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import ExistingFile

from cli.client import Json
from cli.parameters import ListId, Mapping, check_source, mapping_of

WEEK = "mon,tue,wed,thu,fri,sat,sun"
NAME_LENGTH = 100


def _check_source(_: type, plan: "BatchPlan | None") -> None:
    if plan is not None:
        check_source(plan.file, plan.list_id, plan.mapping)


@Parameter(name="*", validator=_check_source)
@dataclass(frozen=True, slots=True)
class BatchPlan:
    file: Annotated[
        ExistingFile | None,
        Parameter(help="A CSV file; its first row names the columns, one of them phone_number."),
    ] = None
    _: KW_ONLY
    list_id: ListId = None
    agent: Annotated[str, Parameter(help="Id of the voice agent.")]
    name: Annotated[
        str | None,
        Parameter(help="What people call the batch; the name of the file or list unless given."),
    ] = None
    from_number: Annotated[
        str | None, Parameter(help="Caller id in E.164; the agent's own unless given.")
    ] = None
    window: Annotated[
        str | None,
        Parameter(help="Hours such as 09:00-18:00; the account's default unless given."),
    ] = None
    days: Annotated[str, Parameter(help="Weekdays on which the window starts.")] = WEEK
    zone: Annotated[
        str, Parameter(help="IANA zone of the window, or `recipient` for each one's own.")
    ] = "UTC"
    at: Annotated[
        datetime | None, Parameter(help="When to start, with its offset; at once unless given.")
    ] = None
    start: Annotated[
        bool, Parameter(help="--no-start leaves the batch PENDING until it is started.")
    ] = True
    reject_invalid: Annotated[
        bool,
        Parameter(negative="", help="Refuse all if a row is wrong, rather than skip the row."),
    ] = False
    mapping: Mapping = ()

    @property
    def columns(self) -> Json | None:
        return mapping_of(self.mapping)

    @property
    def body(self) -> Json:
        source = self.file.stem if self.file else f"List {self.list_id}"
        wanted = {
            "name": self.name or source[:NAME_LENGTH],
            "agent_id": self.agent,
            "recipient_list_id": self.list_id,
            "start": self.start,
            "on_invalid": "reject" if self.reject_invalid else "skip",
            "from_number": self.from_number,
            "window": self._hours() if self.window else None,
            "scheduled_at": self.at.isoformat() if self.at else None,
        }
        return {field: value for field, value in wanted.items() if value is not None}

    def _hours(self) -> Json:
        opens, _, closes = str(self.window).partition("-")
        days = self.days.split(",")
        return {"start": opens, "end": closes, "days": days, "timezone": self.zone}
