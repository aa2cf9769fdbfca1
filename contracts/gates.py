"""The dialers' word that a batch is quiet: closed through this epoch, and no request on its way."""

from pydantic import Field

from contracts.event import BatchEvent


class BatchGateClosed(BatchEvent):
    """No request of the batch under this epoch or an older one will leave any more."""

    through_epoch: int = Field(ge=0)
    for_good: bool = False
    """The batch is deleted: no epoch opens it again."""
    live: int = Field(default=0, ge=0)
    """Of a deleted batch: its calls that were not over yet.  It is said again when they are."""

    @property
    def number(self) -> str:
        return f"{self.through_epoch}{'!' if self.for_good else ''}{'~' if self.live else ''}"
