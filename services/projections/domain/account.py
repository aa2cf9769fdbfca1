"""An account's own settings, as they were last configured."""

from contracts.calendar import Window
from contracts.event import Value


class Configuration(Value):
    concurrency: int
    default_window: Window | None = None
    allowed_regions: tuple[str, ...] | None = None
