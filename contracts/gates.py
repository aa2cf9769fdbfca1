"""The dialers' word that a batch is quiet: closed through this epoch, and no request on its way."""

from pydantic import Field

from contracts.event import BatchEvent


class BatchGateClosed(BatchEvent):
    through_epoch: int = Field(ge=0)
    for_good: bool = False
    """The batch is deleted: no epoch opens it again."""

    @property
    def number(self) -> str:
        return f"{self.through_epoch}{'!' if self.for_good else ''}"
